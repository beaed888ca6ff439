/** The door of sessions: one WebSocket that carries many. */

import { SocketTransport } from "../../../net/socket-transport.ts";
import { ERRORS } from "../../../protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL } from "../../../protocol/version.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf, type Door } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import type { SessionDesk } from "../options.ts";
import { stay } from "../../../door/stay.ts";

/** For the audit: a server's user, not through the server. */
const DIRECT = `${SUBPROTOCOL} direct`;

const schema = {
  summary: "Many sessions over one connection that they survive.",
  description: "docs/protocol.md tells what is said. The rights are those that each session asks for.",
  querystring: NoQuery,
} as const;

export function addSessions(app: App, { sessions, door }: { sessions: SessionDesk; door: Door }): void {
  const config = { access: "signed-in", speaks: [SUBPROTOCOL], passes: true } as const;
  const options = { websocket: true, config, schema } as const;
  app.get(SESSIONS_PATH, options, (socket, request) => {
    const identity = callerOf(request);
    stay(identity, socket, () => socket.close(ERRORS.revoked.close, ERRORS.revoked.title));
    const transport = new SocketTransport({ socket, wire: request.raw.socket, peer: "client" });
    const { address } = door.source(request);
    const spoken = identity.direct ? DIRECT : SUBPROTOCOL;
    sessions.serve(transport, identity.subject, { address, door: spoken, request: request.id });
  });
}
