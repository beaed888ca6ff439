/** Opens the page's WebSocket: a fresh single-use ticket each time, carried in the subprotocol list because a page can set no header. */

import { type Dial, type WebSocketLike, browserTransport } from "../client/client.ts";
import { FairleadError } from "../protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL, TICKET_PREFIX } from "../protocol/version.ts";
import type { Account } from "./account.ts";
import { addressOf } from "./address.ts";

/** The signal ends an attempt; an open socket belongs to who asked for it, who may have last words to send on it. */
export function pageDial(account: Account): Dial {
  return async (abort) => {
    const ticket = await account.ticket(abort);
    const address = addressOf(SESSIONS_PATH);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, [SUBPROTOCOL, `${TICKET_PREFIX}${ticket}`]);
    socket.binaryType = "arraybuffer";
    const giveUp = () => socket.close();
    abort.addEventListener("abort", giveUp, { once: true });
    return await new Promise((resolve, reject) => {
      socket.addEventListener("open", () => {
        abort.removeEventListener("abort", giveUp);
        resolve(browserTransport(socket as WebSocketLike));
      });
      socket.addEventListener("close", () => {
        abort.removeEventListener("abort", giveUp);
        reject(new FairleadError("unreachable", "The connection to the agent could not be opened."));
      });
    });
  };
}
