/** Requests that came in one go on a connection, whose answers wait for each other. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

export class Pipelines {
  readonly #open = new WeakMap<Duplex, Set<ServerResponse>>();

  /** To be called for each request, before it is answered. */
  add({ socket }: IncomingMessage, response: ServerResponse): void {
    const open = this.#open.get(socket) ?? new Set();
    this.#open.set(socket, open.add(response));
    response.once("close", () => open.delete(response));
  }

  /**
   * Of a connection on which a WebSocket is asked for: cuts it, and gives true, where earlier requests have no answer yet.
   * It would come in between the WebSocket's messages, and Node (24.21) would not tell the later ones of the end.
   */
  cut(socket: Duplex): boolean {
    const open = [...(this.#open.get(socket) ?? [])];
    for (const response of open) {
      const waits = response.socket === null;
      response.destroy();
      if (waits) response.emit("close");
    }
    if (open.length > 0) socket.destroy();
    return open.length > 0;
  }
}
