/** The door of sessions: one WebSocket that carries many. */

import type { FastifyInstance } from "fastify";
import { webSocketTransport } from "../../../mux/transport.ts";
import { ERRORS, FairleadError } from "../../../protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL } from "../../../protocol/version.ts";
import { callerOf, type Door } from "../door.ts";
import { subprotocols } from "../identity.ts";
import type { SessionDesk } from "../options.ts";

/** The sessions themselves end first, each saying why; then the socket is closed in any case. */
const REVOKED_GRACE_MS = 1_000;

export function addSessions(app: FastifyInstance, { sessions, door }: { sessions: SessionDesk; door: Door }): void {
  app.get(
    SESSIONS_PATH,
    {
      websocket: true,
      config: { access: "signed-in", socket: true },
      preHandler: async (request) => {
        if (!subprotocols(request.raw).includes(SUBPROTOCOL))
          throw new FairleadError("bad-request", `This WebSocket speaks the subprotocol ${SUBPROTOCOL}; offer it.`);
      },
    },
    (socket, request) => {
      const { subject, page } = callerOf(request);
      const release = page?.hold();
      const over = new AbortController();
      socket.once("close", () => {
        over.abort();
        release?.();
      });
      const end = () => socket.close(ERRORS.revoked.close, ERRORS.revoked.title);
      const later = () => setTimeout(end, REVOKED_GRACE_MS).unref();
      subject.revoked.addEventListener("abort", later, { once: true, signal: over.signal });
      sessions.serve(webSocketTransport(socket), subject, { address: door.source(request).address, door: SUBPROTOCOL });
    },
  );
}
