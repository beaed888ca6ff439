/** Reads the log of one container to its end, whatever happens to the session in between. */

import type { Client, SessionOptions } from "../client/client.ts";
import { RESTART_RETRY } from "../client/link.ts";
import type { RemoteSession } from "../client/session.ts";
import { Backoff } from "../lib/backoff.ts";
import { wait } from "../lib/wait.ts";
import { type ErrorCode, FairleadError } from "../protocol/errors.ts";
import type { LogCursor, LogsBody } from "../protocol/open.ts";
import type { Messages } from "./messages.ts";
import { nodeOf, type Place, typedName } from "./place.ts";

export interface LogSink {
  write(stream: "stdout" | "stderr", bytes: Uint8Array): Promise<void>;
  /** Nothing more comes. */
  end(): Promise<void>;
}

export interface LogSource {
  client: Client;
  place: Place;
  body: LogsBody;
  messages: Messages;
  signal: AbortSignal;
}

/** How long the agent keeps our place while the connection is away, in milliseconds. */
const GRACE_MS = 60_000;
/** Between attempts to go on with a follow whose session is gone, in milliseconds. */
const RETRY = { first: 250, max: 5_000 };
/** The session is gone and another one can go on where it stopped. */
const GONE: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "unreachable",
  "session-gone",
  "client-gone",
  "shutting-down",
  "stale-epoch",
  "agent-away",
  // Of an agent that has just started.
  "engine-unavailable",
]);
/** Bytes held until the agent says where they end, so that a new session repeats none of them. */
const MAX_HELD = 1_048_576;

function keptAt(place: Place): SessionOptions {
  return { onDrop: "keep", grace: GRACE_MS, ...nodeOf(place) };
}

interface Run {
  stream: "stdout" | "stderr";
  bytes: Uint8Array;
}

export class LogReader {
  readonly #source: LogSource;
  readonly #sink: LogSink;
  readonly #session: RemoteSession;
  /** Until the log gets on again. */
  readonly #retry = new Backoff(RETRY);
  readonly #restart = new Backoff(RESTART_RETRY);
  #cursor: LogCursor | undefined;
  #held: Run[] = [];
  #heldBytes = 0;

  /** Resolves when the agent accepted; rejects with its refusal. */
  static async open(source: LogSource, sink: LogSink): Promise<LogReader> {
    const session = await source.client.logs(source.place.container, source.body, keptAt(source.place));
    return new LogReader(source, { session, sink });
  }

  private constructor(source: LogSource, { session, sink }: { session: RemoteSession; sink: LogSink }) {
    this.#source = source;
    this.#session = session;
    this.#sink = sink;
  }

  get name(): string {
    const { node, container } = this.#source.place;
    return typedName(node, this.#session.container?.name ?? container);
  }

  /** Resolves with the exit code at the end of the log. A follow goes on over a new session when the old one is gone. */
  async read(): Promise<number> {
    let session = this.#session;
    for (;;) {
      try {
        const exit = await this.#readSession(session);
        await this.#sink.end();
        return exit;
      } catch (error) {
        const { code } = this.#mended(error);
        this.#held = [];
        this.#heldBytes = 0;
        session = await this.#reopen(code === "shutting-down" ? this.#restart : this.#retry);
      }
    }
  }

  /** Explains that another session goes on after this; throws what none can mend. */
  #mended(error: unknown): FairleadError {
    const { body, signal, messages } = this.#source;
    if (!body.follow || signal.aborted || !(error instanceof FairleadError) || !GONE.has(error.code)) throw error;
    messages.explain(
      () => `the session of ${this.name} is gone (${error.message}); a new one goes on where it stopped`,
    );
    return error;
  }

  async #reopen(backoff: Backoff): Promise<RemoteSession> {
    const { client, body, signal, place, messages } = this.#source;
    const container = this.#session.container?.id ?? place.container;
    const { tail: _tail, ...rest } = body;
    const after = this.#cursor ? { ...rest, after: this.#cursor } : body;
    for (;;) {
      await wait(backoff.next(), signal);
      try {
        const session = await client.logs(container, after, keptAt(place));
        messages.status(undefined);
        return session;
      } catch (error) {
        this.#mended(error);
        messages.status(`the agent does not answer; the log of ${this.name} goes on when it does ...`);
      }
    }
  }

  async #readSession(session: RemoteSession): Promise<number> {
    for await (const packet of session.packets()) {
      if (packet.type === "stdout" || packet.type === "stderr")
        await this.#take({ stream: packet.type, bytes: packet.bytes });
      else if (packet.type === "cursor") {
        this.#cursor = packet.cursor;
        this.#retry.reset();
        this.#restart.reset();
        await this.#release();
      } else if (packet.type === "gap")
        this.#source.messages.say(`Lines of ${this.name} are missing here: ${packet.gap.why}.`);
      else if (packet.type === "exit") {
        await this.#release();
        return "code" in packet.status ? packet.status.code : this.#unknown(packet.status.unknown);
      }
    }
    throw new FairleadError("session-gone", `The log of ${this.name} ended without saying why. Run the command again.`);
  }

  #unknown(why: string): never {
    throw new FairleadError("internal", `The log of ${this.name} may be incomplete: ${why}.`);
  }

  /** Only a follow can go on after a break, so only a follow waits for the cursor; it is right behind. */
  async #take(run: Run): Promise<void> {
    if (!this.#source.body.follow) return this.#sink.write(run.stream, run.bytes);
    this.#held.push(run);
    this.#heldBytes += run.bytes.length;
    if (this.#heldBytes > MAX_HELD) await this.#release();
  }

  async #release(): Promise<void> {
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    for (const { stream, bytes } of held) await this.#sink.write(stream, bytes);
  }
}
