/** Opens the page's WebSocket: a fresh single-use ticket each time, carried in the subprotocol list because a page can set no header. */

import type { Dial } from "../client/client.ts";
import { type WebSocketLike, webSocketTransport } from "../client/client.ts";
import { FairleadError } from "../protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL, TICKET_PREFIX } from "../protocol/version.ts";
import type { Account } from "./account.ts";

export function pageDial(account: Account): Dial {
  return async (abort) => {
    const ticket = await account.ticket(abort);
    const address = new URL(SESSIONS_PATH, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(address, [SUBPROTOCOL, `${TICKET_PREFIX}${ticket}`]);
    socket.binaryType = "arraybuffer";
    return await new Promise((resolve, reject) => {
      const refuse = () => reject(new FairleadError("unreachable", "The connection to the agent could not be opened."));
      abort.addEventListener("abort", () => socket.close(), { once: true });
      socket.addEventListener("open", () => resolve(webSocketTransport(socket as WebSocketLike)), { once: true });
      socket.addEventListener("close", refuse, { once: true });
    });
  };
}
