/** The door to a container's port: one WebSocket, one TCP connection, dialled before the upgrade. */

import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { ERRORS } from "../../../protocol/errors.ts";
import { V4, V5 } from "../../../protocol/remote-command.ts";
import type { DirectSession } from "../../../client/direct.ts";
import type { DirectVisit } from "../../session/sessions.ts";
import { serveConnection } from "../tcp-connection.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { framingOf, RAW } from "../framing.ts";
import { NoQuery } from "../../../door/input.ts";
import { ContainerParams, PortText } from "../input.ts";
import type { Limits } from "../../../door/options.ts";
import { SessionSocket } from "../session-socket.ts";
import { NOTHING } from "../../../door/sockets.ts";
import { goneSignal, stay } from "../../../door/stay.ts";
import { type Desk, REFUSALS, visitOf } from "../visit.ts";

const PortParams = z.strictObject({
  ...ContainerParams.shape,
  port: PortText,
});

const schema = {
  summary: "One TCP connection to a port of the container.",
  description:
    "Without a subprotocol, or with `binary`, messages are bytes; else it is Kubernetes' port forward with one port (docs/api.md).",
  params: PortParams,
  querystring: NoQuery,
  problems: [...REFUSALS, "dial-refused", "dial-failed", "unsupported"],
} as const;

export interface PortParts extends Desk {
  limits: Limits;
}

/** A forward and its only connection. */
interface Dialled {
  forward: DirectSession;
  connection: DirectSession;
  port: number;
}

export function addPorts(app: App, parts: PortParts): void {
  const waiting = new WeakMap<FastifyRequest, Dialled>();
  const prepare = async (request: FastifyRequest, reply: FastifyReply) => {
    const gone = goneSignal(reply.raw);
    const target = request.params as z.output<typeof PortParams>;
    waiting.set(request, await dial(target, { visit: visitOf(request, parts, gone), sessions: parts.sessions }));
    // The upgrade may still fail; after it the connection itself says when it is over.
    gone.addEventListener("abort", () => hangUp(waiting.get(request)), { once: true });
  };
  const config = { access: "forward", speaks: [RAW, V5, V4, NOTHING] } as const;
  const options = { websocket: true, config, schema, preHandler: prepare } as const;
  app.get("/api/v1/containers/:ref/ports/:port", options, async (ws, request) => {
    const socket = new SessionSocket(ws, parts.limits);
    stay(callerOf(request), ws, () => ws.close(ERRORS.revoked.close, ERRORS.revoked.title));
    const dialled = waiting.get(request);
    waiting.delete(request);
    if (!dialled) return socket.close(ERRORS.internal.close, ERRORS.internal.title);
    const framing = framingOf(ws.protocol, dialled.port);
    await serveConnection({ socket, session: dialled.connection, framing });
    hangUp(dialled);
  });
}

interface Caller {
  visit: DirectVisit;
  sessions: Desk["sessions"];
}

async function dial({ ref, port }: z.output<typeof PortParams>, { visit, sessions }: Caller): Promise<Dialled> {
  const header = { op: "forward", container: ref, onDrop: "kill" } as const;
  const forward = await sessions.open({ header, body: { ports: [port] } }, visit);
  try {
    const { session, secret } = forward.opened;
    const asked = { header: { op: "dial", session }, body: { secret, port } } as const;
    return { forward, port, connection: await sessions.open(asked, visit) };
  } catch (error) {
    forward.close();
    throw error;
  }
}

function hangUp(dialled: Dialled | undefined): void {
  dialled?.connection.close();
  dialled?.forward.close();
}
