/** The door of sessions: one WebSocket that carries many. */

import { nextTick } from "node:process";
import type { FastifyInstance } from "fastify";
import { webSocketTransport } from "../../../mux/transport.ts";
import { ERRORS } from "../../../protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL } from "../../../protocol/version.ts";
import { callerOf, type Door } from "../../../door/door.ts";
import type { SessionDesk } from "../options.ts";
import { speaks } from "../../../door/sockets.ts";
import { stay } from "../../../door/stay.ts";

export function addSessions(app: FastifyInstance, { sessions, door }: { sessions: SessionDesk; door: Door }): void {
  const config = { access: "signed-in", socket: true } as const;
  const options = { websocket: true, config, preHandler: speaks(SUBPROTOCOL) } as const;
  app.get(SESSIONS_PATH, options, (socket, request) => {
    const identity = callerOf(request);
    stay(identity, socket, () => socket.close(ERRORS.revoked.close, ERRORS.revoked.title));
    const transport = webSocketTransport(socket, request.raw.socket, nextTick);
    sessions.serve(transport, identity.subject, { address: door.source(request).address, door: SUBPROTOCOL });
  });
}
