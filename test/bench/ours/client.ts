/** The client library on a WebSocket, as the bench's own client programs use it. */

import { WebSocket } from "ws";
import { Client } from "../../../src/client/client.ts";
import { webSocketTransport } from "../../../src/mux/transport.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL } from "../../../src/protocol/version.ts";

/** A connection of its own to the agent that the environment names. */
export function connectClient(environment: NodeJS.ProcessEnv): Client {
  const { FAIRLEAD_SERVER: server = "", FAIRLEAD_TOKEN: token = "" } = environment;
  const headers = { authorization: `Bearer ${token}` };
  return new Client({
    software: "fairlead-bench",
    dial: () =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(new URL(SESSIONS_PATH, server), SUBPROTOCOL, {
          headers,
          perMessageDeflate: false,
        });
        socket.once("open", () => resolve(webSocketTransport(socket)));
        socket.once("error", (error) => reject(new FairleadError("unreachable", error.message)));
      }),
  });
}
