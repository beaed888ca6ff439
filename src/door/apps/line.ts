/** One connection to an app, for one request without a body after the other; made anew when it was closed. */

import type { Socket } from "node:net";
import { Client, type Dispatcher } from "undici";

const MAX_HEADER_BYTES = 16_384;
/** By how much sooner a connection is given up than the app says that it would, in milliseconds. */
const MARGIN_MS = 1_000;

export type Connected = (error: Error | null, socket: Socket) => void;
export type Connect = (connected: Connected) => void;

export interface LineParts {
  connect: Connect;
  /** How long the app may take to begin its answer, and a connection be kept of which nothing is asked; milliseconds. */
  answerMs: number;
  idleMs: number;
}

/** Takes half of the processor time that `node:http` takes to ask, which is why it is not that. */
export class Line {
  readonly #client: Client;
  readonly #connect: Connect;
  #socket: Socket | undefined;
  #isNew = false;

  constructor({ connect, answerMs, idleMs }: LineParts) {
    this.#connect = connect;
    // Whatever address it is given: there is only one place to go.
    this.#client = new Client("http://app", {
      connect: (_address, done) => this.#dial((error, socket) => (error ? done(error, null) : done(null, socket))),
      keepAliveTimeout: idleMs,
      keepAliveMaxTimeout: idleMs,
      keepAliveTimeoutThreshold: MARGIN_MS,
      headersTimeout: answerMs,
      // A page that waits for news may be silent for long.
      bodyTimeout: 0,
      maxHeaderSize: MAX_HEADER_BYTES,
    });
  }

  /** Nothing was asked on this connection before. */
  get isNew(): boolean {
    return this.#isNew;
  }

  /** The connection is no more, and it was not the app that ended it as one should. */
  get isBroken(): boolean {
    return this.#socket === undefined || (this.#socket.destroyed && !this.#socket.readableEnded);
  }

  /** The handler hears what becomes of it; only then may the next be asked. */
  ask(request: Pick<Dispatcher.DispatchOptions, "method" | "path" | "headers">, handler: Dispatcher.DispatchHandler) {
    this.#isNew = false;
    this.#client.dispatch(request, handler);
  }

  /**
   * Gives up the answer that has begun, with the connection. The client's own way to do that would end this program
   * where the connection breaks at the same moment (undici 8.12.4: it finishes what it has been told to forget).
   */
  cut(): void {
    this.#socket?.destroy(new Error("nobody waits for this answer any more"));
  }

  destroy(): void {
    void this.#client.destroy();
  }

  #dial(connected: Connected): void {
    this.#connect((error, socket) => {
      this.#socket = socket;
      this.#isNew = true;
      connected(error, socket);
    });
  }
}
