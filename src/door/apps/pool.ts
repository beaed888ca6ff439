/** The connections to one app: dialled through the desk, which checks each, and kept for the next request. */

import { Agent, type ClientRequestArgs } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { callbackify } from "node:util";
import { plainAddress } from "../address.ts";
import { type Connect, type Connected, Line } from "./line.ts";

/** To one app at a time, by each of the two ways; more requests wait for their turn. */
const MAX_CONNECTIONS = 64;
/** Milliseconds that a connection is kept though nothing is asked: less than common servers allow, lest one is asked that is about to hang up. */
const IDLE_MS = 4_000;

export interface PoolParts {
  dial: () => Promise<Duplex>;
  /** How long the app may take to begin its answer, in milliseconds. */
  answerMs: number;
}

export class Pool {
  /** For WebSockets, and for requests with a body. */
  readonly agent: Agent;
  /** For requests without a body, all of them, and those that nobody uses: the last one first. */
  readonly #lines: Line[] = [];
  readonly #free: Line[] = [];
  readonly #waiting = new Set<(line: Line) => void>();
  readonly #connect: Connect;
  readonly #answerMs: number;
  #address = "";

  constructor({ dial, answerMs }: PoolParts) {
    this.#connect = callbackify(async () => this.#prepare((await dial()) as Socket));
    this.#answerMs = answerMs;
    this.agent = new DiallingAgent(this.#connect);
  }

  /** Of the app, as it was dialled last. */
  get address(): string {
    return this.#address;
  }

  /** Calls `use` with a line as soon as there is one, unless the result was called before; it has to be given back. */
  take(use: (line: Line) => void): () => void {
    const line = this.#free.pop() ?? this.#another();
    if (line) use(line);
    else this.#waiting.add(use);
    return () => this.#waiting.delete(use);
  }

  giveBack(line: Line): void {
    const [next] = this.#waiting;
    if (!next) return void this.#free.push(line);
    this.#waiting.delete(next);
    next(line);
  }

  /** Cuts all connections; what waits for one is its owner's to end. */
  destroy(): void {
    this.agent.destroy();
    for (const line of this.#lines) line.destroy();
  }

  #another(): Line | undefined {
    if (this.#lines.length === MAX_CONNECTIONS) return undefined;
    const line = new Line({ connect: this.#connect, answerMs: this.#answerMs, idleMs: IDLE_MS });
    this.#lines.push(line);
    return line;
  }

  #prepare(socket: Socket): Socket {
    // A server that hangs up has hung up: half a connection is of no use to HTTP.
    socket.allowHalfOpen = false;
    this.#address = plainAddress(socket.remoteAddress ?? "");
    return socket;
  }
}

class DiallingAgent extends Agent {
  readonly #connect: Connect;

  constructor(connect: Connect) {
    super({ keepAlive: true, maxSockets: MAX_CONNECTIONS, maxFreeSockets: MAX_CONNECTIONS, timeout: IDLE_MS });
    this.#connect = connect;
  }

  /** Whatever address the request names: there is only one place to go. */
  override createConnection(_request: ClientRequestArgs, done?: Connected): undefined {
    this.#connect((error, socket) => done?.(error, socket));
  }
}
