/** The doors of the relay: one WebSocket of a client that carries its sessions, one of each agent that takes them. */

import { nextTick } from "node:process";
import type { FastifyInstance } from "fastify";
import { callerOf, type Door, signerOf } from "../../../door/door.ts";
import { stay } from "../../../door/stay.ts";
import { webSocketTransport } from "../../../mux/transport.ts";
import { ERRORS, FairleadError } from "../../../protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL, UPLINK_PATH } from "../../../protocol/version.ts";
import type { Exchange } from "../../relay/exchange.ts";

export interface SessionRoutes {
  exchange: Pick<Exchange, "relay" | "uplinks">;
  door: Door;
}

export function addSessions(app: FastifyInstance, { exchange, door }: SessionRoutes): void {
  const options = { websocket: true } as const;
  app.get(SESSIONS_PATH, { ...options, config: { access: "signed-in", speaks: [SUBPROTOCOL] } }, (socket, request) => {
    const identity = callerOf(request);
    stay(identity, socket, () => socket.close(ERRORS.revoked.close, ERRORS.revoked.title));
    const transport = webSocketTransport(socket, request.raw.socket, nextTick);
    const { address } = door.source(request);
    exchange.relay.serve(transport, identity.subject, { address, door: SUBPROTOCOL });
  });
  app.get(UPLINK_PATH, { ...options, config: { access: "host", speaks: [SUBPROTOCOL] } }, (socket, request) => {
    const { uid, revoked } = signerOf(request);
    const transport = webSocketTransport(socket, request.raw.socket, nextTick);
    const putOut = () => {
      const { reason } = revoked;
      const { code, message } = reason instanceof FairleadError ? reason : new FairleadError("revoked", String(reason));
      exchange.uplinks.cut(uid, { code: ERRORS[code].close, reason: message });
    };
    void exchange.uplinks.hold(uid, transport).then(() => revoked.removeEventListener("abort", putOut));
    revoked.addEventListener("abort", putOut, { once: true });
  });
}
