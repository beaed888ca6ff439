/** The door of sessions: one WebSocket that carries many. */

import { nextTick } from "node:process";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { WebSocket } from "ws";
import { webSocketTransport } from "../../../mux/transport.ts";
import { ERRORS, FairleadError } from "../../../protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL } from "../../../protocol/version.ts";
import { callerOf, type Door } from "../door.ts";
import { subprotocols } from "../identity.ts";
import type { SessionDesk } from "../options.ts";

/** The sessions themselves end first, each saying why; then the socket is closed in any case. */
const REVOKED_GRACE_MS = 1_000;

export function addSessions(app: FastifyInstance, { sessions, door }: { sessions: SessionDesk; door: Door }): void {
  const config = { access: "signed-in", socket: true } as const;
  app.get(SESSIONS_PATH, { websocket: true, config, preHandler: checkSubprotocol }, (socket, request) => {
    const { subject, page } = callerOf(request);
    const over = new AbortController();
    const release = page?.hold();
    socket.once("close", () => {
      over.abort();
      release?.();
    });
    subject.revoked.addEventListener("abort", () => closeSoon(socket), { once: true, signal: over.signal });
    const transport = webSocketTransport(socket, request.raw.socket, nextTick);
    sessions.serve(transport, subject, { address: door.source(request).address, door: SUBPROTOCOL });
  });
}

async function checkSubprotocol(request: FastifyRequest): Promise<void> {
  if (subprotocols(request.raw).includes(SUBPROTOCOL)) return;
  throw new FairleadError("bad-request", `This WebSocket speaks the subprotocol ${SUBPROTOCOL}; offer it.`);
}

function closeSoon(socket: WebSocket): void {
  setTimeout(() => socket.close(ERRORS.revoked.close, ERRORS.revoked.title), REVOKED_GRACE_MS).unref();
}
