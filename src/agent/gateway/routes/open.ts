/** An address that opens a container's pages in a browser: good once, for seconds. */

import type { FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { Apps } from "../../../door/apps/apps.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { goneSignal } from "../../../door/stay.ts";
import { Invited, Openable } from "../../../protocol/app.ts";
import { ProxyBody } from "../../../protocol/open.ts";
import { proxyRequest } from "../app-desk.ts";
import { ContainerParams, PortText } from "../input.ts";
import { type Desk, REFUSALS, visitOf } from "../visit.ts";

const PATH = "/api/v1/containers/:ref/open";

const LOOK = {
  summary: "The container whose pages would be opened.",
  description: "Refused as opening them would be. A server asks this before it gives out an address of its own.",
  params: ContainerParams,
  querystring: z.strictObject({ port: PortText }),
  problems: REFUSALS,
  response: { 200: Openable },
} as const;

const OPEN = {
  summary: "An address that opens a container's pages in a browser, once.",
  params: ContainerParams,
  querystring: NoQuery,
  body: ProxyBody,
  problems: [...REFUSALS, "unsupported"],
  response: { 200: Invited },
} as const;

export interface OpenParts extends Desk {
  apps: Apps;
}

export function addOpen(app: App, parts: OpenParts): void {
  const check = (request: FastifyRequest, reply: FastifyReply, wanted: { container: string; port: number }) =>
    parts.sessions.check(proxyRequest(wanted), visitOf(request, parts, goneSignal(reply.raw)));
  app.get(PATH, { config: { access: "proxy" }, schema: LOOK }, async (request, reply) => {
    const { id, name } = await check(request, reply, { container: request.params.ref, port: request.query.port });
    return { id, name };
  });
  app.post(PATH, { config: { access: "proxy", direct: true }, schema: OPEN }, async (request, reply) => {
    const { port } = request.body;
    const { name: container } = await check(request, reply, { container: request.params.ref, port });
    const from = { host: request.authority, origin: request.headers.origin };
    return parts.apps.invite({ container, port, identity: callerOf(request) }, from);
  });
}
