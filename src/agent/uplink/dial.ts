/** Opens the WebSocket on which the server brings sessions, signed with this host's key. */

import type { Duplex } from "node:stream";
import type { IncomingMessage } from "node:http";
import { WebSocket } from "ws";
import { type Signer, signatureHeaders } from "../../auth/signature.ts";
import type { Transport } from "../../mux/transport.ts";
import { CLIENT_OPTIONS } from "../../net/client-options.ts";
import { SocketTransport } from "../../net/socket-transport.ts";
import { FairleadError, Problem } from "../../protocol/errors.ts";
import { SUBPROTOCOL, UPLINK_PATH } from "../../protocol/version.ts";
import { connectSecurely, type ServerAddress } from "./secure.ts";

/** Milliseconds for connecting, TLS and the upgrade together. */
const HANDSHAKE_MS = 15_000;
/** Of an answer that is no WebSocket, in bytes. */
const MAX_PROBLEM = 65_536;

export interface DialParts {
  server: ServerAddress;
  /** Absent before the first registration. */
  signer: () => Signer | undefined;
}

/** Rejects with a FairleadError, or with the system's own. */
export function dialServer({ server, signer }: DialParts): (signal: AbortSignal) => Promise<Transport> {
  return async (signal) => {
    const own = signer();
    if (!own) throw new FairleadError("unauthenticated", "This host is not registered yet.");
    const wire = server.url.protocol === "https:" ? await connectSecurely(server, signal) : undefined;
    return upgrade(open(server, { signer: own, wire }), signal);
  };
}

function open({ url }: ServerAddress, { signer, wire }: { signer: Signer; wire: Duplex | undefined }): WebSocket {
  const address = new URL(url);
  address.protocol = wire ? "wss:" : "ws:";
  address.pathname = url.pathname.replace(/\/$/, "") + UPLINK_PATH;
  return new WebSocket(address, [SUBPROTOCOL], {
    headers: signatureHeaders({ method: "GET", target: UPLINK_PATH }, signer),
    ...CLIENT_OPTIONS,
    handshakeTimeout: HANDSHAKE_MS,
    // In TLS or on loopback no intermediary sees the bytes that a mask would hide.
    generateMask: (mask: Buffer) => void mask.fill(0),
    ...(wire && { createConnection: () => wire }),
  });
}

function upgrade(socket: WebSocket, signal: AbortSignal): Promise<Transport> {
  return new Promise((resolve, reject) => {
    const abort = () => socket.terminate();
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    socket.once("upgrade", ({ socket: wire }) => {
      socket.once("open", () => {
        signal.removeEventListener("abort", abort);
        socket.off("error", reject);
        resolve(new SocketTransport({ socket, wire, peer: "server" }));
      });
    });
    socket.once("error", reject);
    socket.once("unexpected-response", (_request, answer) => {
      socket.off("error", reject).on("error", () => {});
      void refusal(answer).then(reject);
    });
    socket.once("close", () => signal.removeEventListener("abort", abort));
  });
}

async function refusal(answer: IncomingMessage): Promise<FairleadError> {
  const status = answer.statusCode ?? 0;
  try {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MAX_PROBLEM) break;
      chunks.push(chunk);
    }
    return FairleadError.from(Problem.parse(JSON.parse(Buffer.concat(chunks).toString())));
  } catch (cause) {
    return new FairleadError("unreachable", `The server answers ${status} where a WebSocket was asked for.`, { cause });
  }
}
