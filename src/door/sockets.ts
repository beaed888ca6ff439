/** The WebSockets that are open: their limits, and their end. */

import type { EventEmitter } from "node:events";
import type { IncomingMessage, Server } from "node:http";
import fastifyWebsocket from "@fastify/websocket";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { ERRORS, FairleadError } from "../protocol/errors.ts";
import { REQUEST_ID_HEADER } from "../protocol/version.ts";
import { subprotocols } from "./identity.ts";

const MAX_PAYLOAD = 1_048_576;
const MAX_FRAGMENTS = 64;
const MAX_BUFFERED_CHUNKS = 4_096;
/** How long a client may take to answer our goodbye. */
const CLOSE_MS = 5_000;
/** The same when the program stops. */
const STOP_MS = 1_000;

/** `ws` knows `closeTimeout`, its type declarations do not yet. */
const LIMITS = {
  maxPayload: MAX_PAYLOAD,
  maxFragments: MAX_FRAGMENTS,
  maxBufferedChunks: MAX_BUFFERED_CHUNKS,
  perMessageDeflate: false,
  closeTimeout: CLOSE_MS,
} as const;

/**
 * Adds WebSockets to the server: every upgrade that `upgrades` tells of goes through the same hooks and the same route
 * table as any request.
 */
export async function addSockets(app: FastifyInstance, upgrades: EventEmitter): Promise<void> {
  await app.register(fastifyWebsocket, {
    // Only its `upgrade` is listened to.
    options: { ...LIMITS, server: upgrades as Server },
    // A socket that breaks takes nothing with it: the session that used it notices by the close.
    errorHandler: (_error, socket) => socket.terminate(),
    preClose: () => closeAll(app.websocketServer.clients),
  });
  app.websocketServer.on("headers", (headers, { headers: asked }) => {
    headers.push(`X-Request-Id: ${String(asked[REQUEST_ID_HEADER])}`);
  });
  app.addHook("preHandler", async ({ raw, routeOptions }) => choose(raw, routeOptions.config.speaks));
}

/** Among what is spoken on a WebSocket: a client that offers no subprotocol at all. */
export const NOTHING = "";

/**
 * Of what the client offers, the first that its route speaks is what will be spoken. The rest, a ticket too, is taken out
 * of the offer, of which the first that is left is answered. Throws `bad-request` when nothing is left.
 */
function choose(raw: IncomingMessage, spoken: readonly string[] | undefined): void {
  if (!spoken) return;
  const protocol = subprotocols(raw).find((offered) => spoken.includes(offered));
  if (protocol === NOTHING) delete raw.headers["sec-websocket-protocol"];
  else if (protocol !== undefined) raw.headers["sec-websocket-protocol"] = protocol;
  else {
    const names = spoken.filter((name) => name !== NOTHING).join(" or ");
    throw new FairleadError("bad-request", `This WebSocket speaks the subprotocol ${names}; offer it.`);
  }
}

/** What is spoken with whoever sent this, once it was chosen. */
export function spokenBy({ raw, ws }: FastifyRequest): string {
  return ws ? (raw.headers["sec-websocket-protocol"] ?? "websocket") : "http";
}

async function closeAll(clients: Iterable<WebSocket>): Promise<void> {
  await Promise.all(Array.from(clients, (client) => close(client)));
}

function close(client: WebSocket): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => client.terminate(), STOP_MS);
    client.once("close", () => {
      clearTimeout(timer);
      resolve();
    });
    client.close(ERRORS["shutting-down"].close, "The server is shutting down.");
  });
}
