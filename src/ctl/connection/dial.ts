/** Opens the WebSocket that carries all sessions. */

import type { IncomingMessage } from "node:http";
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import type { Dial, Transport } from "../../client/client.ts";
import { CLIENT_OPTIONS } from "../../net/client-options.ts";
import { SocketTransport } from "../../net/socket-transport.ts";
import { SESSIONS_PATH, SUBPROTOCOL } from "../../protocol/version.ts";
import { addressOf, refusal, stranger, unreachable } from "./http.ts";
import { isLoopback, type Server } from "./locate.ts";
import { secureConnection } from "./secure.ts";

/** Milliseconds for connecting, TLS and the upgrade together. */
const HANDSHAKE_MS = 10_000;

/** What to bring instead of the token, on a connection that has proved already whose it is. */
interface Entrance {
  authorization: string;
  wire: Socket;
}

export function dialler(server: Server, entrance?: Entrance): Dial {
  return (signal) =>
    new Promise<Transport>((resolve, reject) => {
      const socket = open(server, entrance);
      const abort = () => socket.terminate();
      signal.addEventListener("abort", abort, { once: true });
      const settled = () => signal.removeEventListener("abort", abort);
      socket.once("upgrade", ({ socket: wire }: IncomingMessage) => {
        socket.once("open", () => {
          settled();
          socket.off("error", fail);
          const masked = masks(addressOf(server, SESSIONS_PATH));
          resolve(new SocketTransport({ socket, wire, peer: "server", masks: masked }));
        });
      });
      const fail = (error: Error) => {
        settled();
        reject(isForeign(error) ? stranger(server, error.message, error) : unreachable(server, error));
      };
      socket.once("error", fail);
      socket.once("unexpected-response", (_request: unknown, answer: IncomingMessage) => {
        socket.off("error", fail);
        socket.on("error", () => {});
        settled();
        void refusal(server, answer).then(reject);
      });
    });
}

function open(server: Server, entrance: Entrance | undefined): WebSocket {
  const { socket } = server;
  const url = addressOf(server, SESSIONS_PATH);
  const secure = url.protocol === "https:";
  const masked = masks(url);
  url.protocol = secure ? "wss:" : "ws:";
  return new WebSocket(url, [SUBPROTOCOL], {
    headers: { authorization: entrance?.authorization ?? `Bearer ${server.token.reveal()}` },
    ...CLIENT_OPTIONS,
    handshakeTimeout: HANDSHAKE_MS,
    ...(secure && { createConnection: secureConnection(server) }),
    ...(socket && { createConnection: () => connect(socket) }),
    ...(entrance && { createConnection: () => entrance.wire }),
    ...(!masked && { generateMask: (mask: Buffer) => void mask.fill(0) }),
  });
}

/**
 * The mask keeps hostile scripts in browsers from choosing the bytes that a plaintext intermediary sees. There is no such
 * script here, and no such intermediary on loopback or in TLS: a mask of zeros saves a pass over the bytes.
 */
function masks(url: URL): boolean {
  return url.protocol !== "https:" && !isLoopback(url);
}

/** An answer that no agent gives, as `ws` words it. */
function isForeign(error: NodeJS.ErrnoException): boolean {
  return error.code === undefined && /subprotocol|Sec-WebSocket|upgrade|Parse Error/i.test(error.message);
}
