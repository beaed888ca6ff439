/** An address that opens a container's pages in a browser: good once, for seconds. */

import type { FastifyInstance } from "fastify";
import { callerOf } from "../../../door/door.ts";
import { NoQuery, parseInput } from "../../../door/input.ts";
import { goneSignal } from "../../../door/stay.ts";
import { ProxyBody } from "../../../protocol/open.ts";
import { type Apps, requestFor } from "../apps/apps.ts";
import { ContainerParams } from "../input.ts";
import { type Desk, visitOf } from "../visit.ts";

export interface OpenParts extends Desk {
  apps: Apps;
}

export function addOpen(app: FastifyInstance, parts: OpenParts): void {
  app.post("/api/v1/containers/:ref/open", { config: { access: "proxy" } }, async (request, reply) => {
    parseInput(NoQuery, request.query);
    const { ref } = parseInput(ContainerParams, request.params);
    const { port } = parseInput(ProxyBody, request.body);
    const visit = visitOf(request, parts, goneSignal(reply.raw));
    const { name: container } = await parts.sessions.check(requestFor({ container: ref, port }), visit);
    const from = { host: request.authority, origin: request.headers.origin };
    return parts.apps.invite({ container, port, identity: callerOf(request) }, from);
  });
}
