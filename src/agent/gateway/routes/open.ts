/** An address that opens a container's pages in a browser: good once, for seconds. */

import { z } from "zod";
import type { Apps } from "../../../door/apps/apps.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { goneSignal } from "../../../door/stay.ts";
import { ProxyBody } from "../../../protocol/open.ts";
import { proxyRequest } from "../app-desk.ts";
import { ContainerParams } from "../input.ts";
import { type Desk, visitOf } from "../visit.ts";

const SCHEMA = {
  summary: "An address that opens a container's pages in a browser, once.",
  params: ContainerParams,
  querystring: NoQuery,
  body: ProxyBody,
  problems: ["ambiguous", "not-running", "unsupported", "too-many", "engine-unavailable", "engine-error"],
  response: { 200: z.object({ url: z.string(), expires: z.int().describe("Milliseconds since 1970.") }) },
} as const;

export interface OpenParts extends Desk {
  apps: Apps;
}

export function addOpen(app: App, parts: OpenParts): void {
  const config = { access: "proxy", direct: true } as const;
  app.post("/api/v1/containers/:ref/open", { config, schema: SCHEMA }, async (request, reply) => {
    const { ref } = request.params;
    const { port } = request.body;
    const visit = visitOf(request, parts, goneSignal(reply.raw));
    const { name: container } = await parts.sessions.check(proxyRequest({ container: ref, port }), visit);
    const from = { host: request.authority, origin: request.headers.origin };
    return parts.apps.invite({ container, port, identity: callerOf(request) }, from);
  });
}
