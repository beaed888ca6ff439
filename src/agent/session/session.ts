/** One live thing with an identity that outlives the connection that opened it. */

import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Subject } from "../../auth/grant.ts";
import type { Budget } from "../../mux/budget.ts";
import type { Channel } from "../../mux/channel.ts";
import { type CloseInfo, MuxError } from "../../mux/errors.ts";
import { Sequence } from "../../mux/sequence.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Opened } from "../../protocol/open.ts";
import type { Right } from "../../protocol/rights.ts";
import type { Container } from "../runtime/runtime.ts";
import type { Meter } from "./meter.ts";
import { decodePacket, encodePacket, type ExitStatus, type Packet } from "../../protocol/packet.ts";

/** Who is on the other side of a connection, and by which door. */
export interface Visitor {
  subject: Subject;
  /** For the audit: an address and a door. */
  remote: string;
}

/** What the client is told when its session is accepted. */
export type Details = Partial<Pick<Opened, "tty" | "stdin" | "user" | "place" | "warning">>;

/** What a kind of session sees of it. */
export interface SessionIo {
  /** Aborted when the session must end; the reason is the FairleadError that the client is told. */
  readonly signal: AbortSignal;
  /** Tells the client that it is on. Before this a failure is a refusal, afterwards the end of the session. */
  accept(details?: Details): void;
  /** What the client says; asking for the next packet says that this one has been dealt with. Read once. */
  packets(): AsyncIterable<Packet>;
  /** Resolves when there is room for more. Rejects once the session ends. */
  send(packet: Packet): Promise<void>;
  /** Ends the session with this error; the first one counts. */
  end(error: FairleadError): void;
}

/** How it ended. */
export type Outcome = { status: ExitStatus } | { error: FairleadError };

export type Serve = (io: SessionIo) => Promise<ExitStatus>;

/** What went through a session, in bytes of payload, and the TCP connections that it has carried. */
export interface Moved {
  /** From the client. */
  bytesIn: number;
  bytesOut: number;
  connections: number;
}

/** What the session was opened for. */
export interface Purpose {
  kind: string;
  right: Right;
  /** The container as the client named it; empty on the host itself. */
  reference: string;
  /** As it was when the session was opened; absent on the host itself. */
  container?: Container | undefined;
  /** Of a forward: the ports that its connections may go to. */
  ports?: number[] | undefined;
}

export interface SessionSpec extends Purpose {
  /** Chosen by whoever let the client in; else one is made up. */
  id?: string | undefined;
  visitor: Visitor;
  onDrop: "kill" | "keep";
  /** Milliseconds. */
  grace: number;
  channel: Channel;
  budget: Budget;
  meter?: Pick<Meter, "began"> | undefined;
}

type State = "opening" | "serving" | "ended" | "closed";

const ID_BYTES = 12;
/** Once it ended, a client that is connected and does not read the rest is waited for this long, in milliseconds. */
const COLLECT_MS = 600_000;

/** Made once: thousands of connections of a forward end with it. */
const CLOSED = new FairleadError("session-gone", "the session is closed");
const CLIENT_DONE = new FairleadError("client-gone", "the client closed the session");

export class Session implements SessionIo, Moved {
  readonly id: string;
  readonly purpose: Purpose;
  readonly visitor: Visitor;
  readonly started = Date.now();
  /** The TCP connections of a forward. */
  readonly children = new Set<Session>();
  readonly closed: Promise<void>;
  /** Resolves when the work is over and nothing of it is left running. */
  worked: Promise<void> = Promise.resolve();
  bytesIn = 0;
  bytesOut = 0;
  /** Of a forward: how many it has carried. */
  connections = 0;
  /** Milliseconds of `performance`: when a packet last moved. */
  lastActive = performance.now();
  readonly #spec: SessionSpec;
  /** Milliseconds of `performance`. */
  readonly #asked = performance.now();
  readonly #secret = randomBytes(24).toString("base64url");
  readonly #sequence: Sequence;
  readonly #stop = new AbortController();
  readonly #observers = new Set<(packet: Packet) => void>();
  #state: State = "opening";
  #tty = false;
  #warning: string | undefined;
  #epoch = 1;
  #channel: Channel | undefined;
  /** While a client that is away is waited for. */
  #graceTimer: NodeJS.Timeout | undefined;
  #resolveClosed: () => void = () => {};

  /** Takes the channel over at once, so that what the client already sends is kept. */
  constructor(spec: SessionSpec) {
    this.#spec = spec;
    this.id = spec.id ?? randomBytes(ID_BYTES).toString("hex");
    this.purpose = spec;
    this.visitor = spec.visitor;
    this.#channel = spec.channel;
    this.#sequence = new Sequence({ budget: spec.budget, detached: (info) => this.#detached(info) });
    this.#sequence.attach(spec.channel, 0);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  get attached(): boolean {
    return this.#sequence.attached;
  }

  /** A connection of this forward has begun. */
  adopt(child: Session): void {
    this.children.add(child);
    this.connections += 1;
    this.lastActive = performance.now();
  }

  /** It is over: what it carried counts for the forward, which is what the audit tells of. */
  release(child: Session): void {
    this.children.delete(child);
    this.bytesIn += child.bytesIn;
    this.bytesOut += child.bytesOut;
    this.lastActive = performance.now();
  }

  /** What becomes of it when its connection is lost. */
  get fate(): Pick<SessionSpec, "onDrop" | "grace"> {
    const { onDrop, grace } = this.#spec;
    return { onDrop, grace };
  }

  hasSecret(secret: string): boolean {
    const given = Buffer.from(secret);
    const own = Buffer.from(this.#secret);
    return given.length === own.length && timingSafeEqual(given, own);
  }

  /** What is on the other side is a terminal. */
  get tty(): boolean {
    return this.#tty;
  }

  /** What the client was warned of. */
  get warning(): string | undefined {
    return this.#warning;
  }

  /** Hears every packet that is sent to the client from now on, until the returned function is called. */
  observe(hear: (packet: Packet) => void): () => void {
    this.#observers.add(hear);
    return () => this.#observers.delete(hear);
  }

  accept(details: Details = {}): void {
    if (this.#state !== "opening") return;
    this.#state = "serving";
    this.#tty = details.tty ?? false;
    this.#warning = details.warning;
    this.#spec.meter?.began(this.purpose.kind, (performance.now() - this.#asked) / 1_000);
    this.#channel?.reply(json(this.#opened(details)));
  }

  async *packets(): AsyncGenerator<Packet, void, void> {
    for await (const { tag, payload } of this.#sequence.receive()) {
      this.lastActive = performance.now();
      this.bytesIn += payload.length;
      const packet = decodePacket(tag, payload);
      if (packet) yield packet;
    }
  }

  async send(packet: Packet): Promise<void> {
    for (const hear of this.#observers) hear(packet);
    const { tag, payload } = encodePacket(packet);
    await this.#sequence.send(tag, payload);
    this.lastActive = performance.now();
    this.bytesOut += payload.length;
  }

  end(error: FairleadError): void {
    if (this.#state === "ended" || this.#state === "closed" || this.signal.aborted) return;
    this.#stop.abort(error);
    this.#sequence.stopSending(error);
  }

  /** Does the work, tells the client how it ended, and keeps that for it until it has it. Never rejects. */
  async run(serve: Serve): Promise<Outcome> {
    const outcome = await this.#outcome(serve);
    const refused = this.#state === "opening" && "error" in outcome;
    if (!refused) this.accept();
    this.#state = "ended";
    if (refused) this.#refuse(outcome.error);
    else
      this.#finish(
        "error" in outcome ? { type: "error", problem: outcome.error.problem() } : { type: "exit", ...outcome },
      );
    void this.#collected().then(() => this.close());
    return outcome;
  }

  /** Goes on over another connection. Throws when the client names an epoch that has passed or an offset that is gone. */
  resume(channel: Channel, from: { epoch: number; received: number }): void {
    if (from.epoch <= this.#epoch)
      throw new FairleadError("stale-epoch", "this session was resumed over another connection since");
    this.#sequence.attach(channel, from.received, { reply: json(this.#opened({ epoch: from.epoch })) });
    this.#epoch = from.epoch;
    this.#channel = channel;
    clearTimeout(this.#graceTimer);
    this.#graceTimer = undefined;
  }

  /** Lets go of everything at once. Idempotent. */
  close(): void {
    if (this.#state === "closed") return;
    this.#stop.abort(CLOSED);
    this.#state = "closed";
    clearTimeout(this.#graceTimer);
    this.#sequence.close();
    this.#channel?.close(1000, "the session has ended");
    this.#resolveClosed();
  }

  #opened(details: Details & { epoch?: number }): Opened {
    const { container, onDrop, grace } = this.#spec;
    const identity = { session: this.id, secret: this.#secret, epoch: this.#epoch };
    const place = container && { container: { id: container.id, name: container.name } };
    return { ...identity, received: this.#sequence.received, ...place, onDrop, grace, ...details };
  }

  async #outcome(serve: Serve): Promise<Outcome> {
    try {
      const status = await serve(this);
      return this.signal.aborted ? { error: toFairleadError(this.signal.reason) } : { status };
    } catch (error) {
      return { error: toFairleadError(this.signal.aborted ? this.signal.reason : error) };
    }
  }

  #refuse(error: FairleadError): void {
    this.#channel?.reply(json(error.problem()));
    this.#channel?.close(1000, error.code);
  }

  #finish(packet: Packet): void {
    const { tag, payload } = encodePacket(packet);
    this.#sequence.finish(tag, payload);
  }

  /** Until the client has everything; a client that is away has its grace, one that is there does not read for ever. */
  async #collected(): Promise<void> {
    if (!this.attached && this.#graceTimer === undefined) return;
    const limit = setTimeout(() => this.close(), COLLECT_MS);
    await this.#sequence.settled();
    clearTimeout(limit);
  }

  /** Closed by the client: it is done with it. Cut: it may come back, if that was agreed. */
  #detached(info: CloseInfo): void {
    this.#channel = undefined;
    if (this.#state === "ended") return info.code === 1006 ? this.#waitForClient() : this.close();
    if (info.code !== 1006) return this.end(CLIENT_DONE);
    if (this.#state === "opening" || this.#spec.onDrop === "kill" || this.#spec.grace === 0)
      return this.end(new FairleadError("client-gone", "the connection to the client was lost"));
    this.#waitForClient();
  }

  #waitForClient(): void {
    const { grace } = this.#spec;
    const late = new FairleadError("client-gone", `the client did not come back within ${grace / 1000} s`);
    clearTimeout(this.#graceTimer);
    this.#graceTimer = setTimeout(() => {
      this.#graceTimer = undefined;
      if (this.#state === "ended") this.close();
      else this.end(late);
    }, grace);
  }
}

/** Errors of the runtime carry codes that are ours too, a violation is the client's; anything else is a fault of this program. */
export function toFairleadError(error: unknown): FairleadError {
  if (error instanceof FairleadError) return error;
  if (error instanceof MuxError) return new FairleadError("protocol-error", error.message);
  const words = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && error.name === "RuntimeError" && "code" in error)
    return FairleadError.from({
      type: "",
      title: "",
      status: 0,
      code: error.code === "invalid" ? "bad-request" : String(error.code),
      detail: words,
    });
  return new FairleadError("internal", words, { cause: error });
}

export function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
