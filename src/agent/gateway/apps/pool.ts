/** The connections to one app: dialled through the desk, which checks each, and kept for the next request. */

import { Agent, type ClientRequestArgs } from "node:http";
import type { Duplex } from "node:stream";
import { callbackify } from "node:util";

/** To one app at a time, WebSockets too; more requests wait for their turn. */
const MAX_CONNECTIONS = 64;
/** Milliseconds that a connection is kept though nothing is asked: less than common servers allow, lest one is asked that is about to hang up. */
const IDLE_MS = 4_000;

type Done = (error: Error | null, socket: Duplex) => void;

export class Pool extends Agent {
  readonly #dial: (done: Done) => void;

  constructor(dial: () => Promise<Duplex>) {
    super({ keepAlive: true, maxSockets: MAX_CONNECTIONS, maxFreeSockets: MAX_CONNECTIONS, timeout: IDLE_MS });
    this.#dial = callbackify(async () => {
      const socket = await dial();
      // A server that hangs up has hung up: half a connection is of no use to HTTP.
      socket.allowHalfOpen = false;
      return socket;
    });
  }

  /** Whatever address the request names: there is only one place to go. */
  override createConnection(_request: ClientRequestArgs, done?: Done): undefined {
    this.#dial((error, socket) => done?.(error, socket));
  }
}
