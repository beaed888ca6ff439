/** The doors of the relay: one WebSocket of a client that carries its sessions, one of each agent that takes them. */

import type { App } from "../../../door/declaration.ts";
import { callerOf, type Door, signerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { stay } from "../../../door/stay.ts";
import { SocketTransport } from "../../../net/socket-transport.ts";
import { ERRORS, FairleadError } from "../../../protocol/errors.ts";
import { SESSIONS_PATH, SUBPROTOCOL, UPLINK_PATH } from "../../../protocol/version.ts";
import type { Exchange } from "../../relay/exchange.ts";

const SESSIONS = {
  summary: "Sessions on hosts, each on a channel of its own.",
  description: "docs/protocol.md has what is said on it.",
  querystring: NoQuery,
} as const;

const UPLINK = {
  summary: "An agent's line, on which this server opens the sessions.",
  description: "docs/protocol.md, section 8.",
  querystring: NoQuery,
} as const;

export interface SessionRoutes {
  exchange: Pick<Exchange, "relay" | "uplinks">;
  door: Door;
}

export function addSessions(app: App, { exchange, door }: SessionRoutes): void {
  const speaks = [SUBPROTOCOL];
  const sessions = { websocket: true, schema: SESSIONS, config: { access: "signed-in", speaks } } as const;
  app.get(SESSIONS_PATH, sessions, (socket, request) => {
    const identity = callerOf(request);
    stay(identity, socket, () => socket.close(ERRORS.revoked.close, ERRORS.revoked.title));
    const transport = new SocketTransport({ socket, wire: request.raw.socket, peer: "client" });
    const { address } = door.source(request);
    exchange.relay.serve(transport, identity.subject, { address, door: SUBPROTOCOL, request: request.id });
  });
  const uplink = { websocket: true, schema: UPLINK, config: { access: "host", speaks } } as const;
  app.get(UPLINK_PATH, uplink, (socket, request) => {
    const { uid, revoked } = signerOf(request);
    const transport = new SocketTransport({ socket, wire: request.raw.socket, peer: "client" });
    const putOut = () => {
      const { reason } = revoked;
      const { code, message } = reason instanceof FairleadError ? reason : new FairleadError("revoked", String(reason));
      exchange.uplinks.cut(uid, { code: ERRORS[code].close, reason: message });
    };
    void exchange.uplinks.hold(uid, transport).then(() => revoked.removeEventListener("abort", putOut));
    revoked.addEventListener("abort", putOut, { once: true });
  });
}
