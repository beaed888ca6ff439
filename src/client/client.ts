/** Opens and resumes sessions over one connection that comes back by itself. */

import type { Transport } from "../mux/transport.ts";
import type {
  AttachBody,
  CopyInBody,
  CopyOutBody,
  DialBody,
  ExecBody,
  ForwardBody,
  LogsBody,
  OpenHeader,
  ShellBody,
} from "../protocol/open.ts";
import { Lines } from "./lines.ts";
import type { Link, LinkState } from "./link.ts";
import { RemoteSession } from "./session.ts";

/** A dialler makes one of these out of its own kind of socket. */
export { type Transport, type WebSocketLike, browserTransport } from "../mux/transport.ts";
export { CLOSE } from "../mux/errors.ts";

/**
 * Opens one authenticated socket that speaks `fairlead.v1`; called again for every reconnect. Rejects with a
 * FairleadError. Of a reconnect `unreachable`, `engine-unavailable`, `shutting-down`, `too-many` and `internal` are tried
 * again; every other code ends the sessions.
 */
export type Dial = (signal: AbortSignal) => Promise<Transport>;

export interface ClientOptions {
  dial: Dial;
  /** Where each node has a connection of its own: how that one is dialled. Else all share one. */
  dialNode?: (node: string) => Dial;
  software: string;
  /** `node`: whose connection it is, where it is one's own. */
  onState?: (state: LinkState, node?: string) => void;
  /** Bytes that unacknowledged output of all sessions may take. */
  budget?: number;
}

export interface SessionOptions {
  /** What becomes of the session when the connection is lost; the agent's default depends on its kind. */
  onDrop?: "kill" | "keep";
  /** Milliseconds that a kept session waits for us. */
  grace?: number;
  /** On which node the container is; a server needs to be told. */
  node?: string;
}

/** Connections that are there already, and a node behind them. */
interface Bound {
  lines: Lines;
  node: string;
}

export class Client {
  readonly #lines: Lines;
  readonly #node: string | undefined;

  constructor(options: ClientOptions | Bound) {
    this.#lines = "lines" in options ? options.lines : new Lines(options);
    this.#node = "lines" in options ? options.node : undefined;
  }

  /** The same connections; its sessions are on this node unless they name another. */
  on(node: string): Client {
    return new Client({ lines: this.#lines, node });
  }

  exec(container: string, body: ExecBody, options: SessionOptions = {}): Promise<RemoteSession> {
    return this.#open({ op: "exec", container, ...options }, body);
  }

  attach(container: string, body: AttachBody, options: SessionOptions = {}): Promise<RemoteSession> {
    return this.#open({ op: "attach", container, ...options }, body);
  }

  /** A follow ends with `shutting-down` as soon as its agent says goodbye: another one goes on where it stopped. */
  async logs(container: string, body: LogsBody, options: SessionOptions = {}): Promise<RemoteSession> {
    const header = this.#placed({ op: "logs", container, ...options });
    return accepted(await RemoteSession.open(this.#lines.to(header.node), { header, body, movable: body.follow }));
  }

  async forward(container: string, body: ForwardBody, options: SessionOptions = {}): Promise<RemoteForward> {
    const session = await this.#open({ op: "forward", container, ...options }, body);
    const node = options.node ?? this.#node;
    return new RemoteForward(this.#lines.to(node), session, node);
  }

  /** Read `stdout` (an archive), `digest`, then `exit`. */
  copyOut(container: string, body: CopyOutBody, options: SessionOptions = {}): Promise<RemoteSession> {
    return this.#open({ op: "copy-out", container, ...options }, body);
  }

  /** Send `stdin` (an archive) and `end`; read `digest`, then `exit`. */
  copyIn(container: string, body: CopyInBody, options: SessionOptions = {}): Promise<RemoteSession> {
    return this.#open({ op: "copy-in", container, ...options }, body);
  }

  /** On the host itself. */
  shell(body: ShellBody, options: SessionOptions = {}): Promise<RemoteSession> {
    return this.#open({ op: "shell", ...options }, body);
  }

  /** Everything that a session of ours (or, for an administrator, anybody's) prints from now on. Sends nothing. */
  observe(session: string, { node }: Pick<SessionOptions, "node"> = {}): Promise<RemoteSession> {
    return this.#open({ op: "observe", session, ...(node && { node }) }, {});
  }

  /** Ends all sessions and the connections. Idempotent. */
  async close(): Promise<void> {
    await this.#lines.close();
  }

  async #open(header: OpenHeader, body: unknown): Promise<RemoteSession> {
    const placed = this.#placed(header);
    return accepted(await RemoteSession.open(this.#lines.to(placed.node), { header: placed, body }));
  }

  #placed(header: OpenHeader): OpenHeader {
    return this.#node === undefined ? header : { node: this.#node, ...header };
  }
}

async function accepted(session: RemoteSession): Promise<RemoteSession> {
  await session.opened;
  return session;
}

/** A forward: TCP connections to the ports of a container, each a session of its own. */
export class RemoteForward {
  readonly #link: Link;
  readonly #session: RemoteSession;
  readonly #node: string | undefined;

  constructor(link: Link, session: RemoteSession, node?: string) {
    this.#link = link;
    this.#session = session;
    this.#node = node;
    void listen(session);
  }

  get id(): string {
    return this.#session.id;
  }

  get container(): { id: string; name: string } | undefined {
    return this.#session.container;
  }

  /** Resolves with why, when the agent ended it. */
  get ended(): Promise<Error | undefined> {
    return this.#session.ended;
  }

  /**
   * One TCP connection. Resolves before the agent has connected, so that the first bytes travel with the request;
   * a refused one fails when its packets are read. Send `stdin`, `end`, `reset`; read `stdout`, `end`, `reset`, then `exit`.
   */
  async dial(port: number): Promise<RemoteSession> {
    const body: DialBody = { secret: this.#session.secret, port };
    const header: OpenHeader = { op: "dial", session: this.id, ...(this.#node && { node: this.#node }) };
    return RemoteSession.open(this.#link, { header, body });
  }

  close(): Promise<void> {
    return this.#session.close();
  }
}

/** A forward says nothing but why it ended, which is told by `ended` once it was heard. */
async function listen(forward: RemoteSession): Promise<void> {
  const packets = forward.packets();
  await packets.next().catch(() => undefined);
  await packets.return();
}
