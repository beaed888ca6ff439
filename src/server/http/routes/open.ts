/** An address below the server's own that opens a container's pages, wherever its host is: good once, for seconds. */

import { request as call } from "node:http";
import { z } from "zod";
import type { Apps } from "../../../door/apps/apps.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { Invited, Openable } from "../../../protocol/app.ts";
import { NodeName } from "../../../protocol/node.ts";
import { ProxyBody } from "../../../protocol/open.ts";
import type { Relay } from "../../relay/relay.ts";
import { answerOf, HOST, valueOf } from "../agent-answer.ts";

const OPEN = {
  summary: "An address that opens a container's pages in a browser, once.",
  description: "They are carried through the server, whether or not anybody can dial the host.",
  params: z.strictObject({ node: NodeName, ref: z.string().min(1).max(256) }),
  querystring: NoQuery,
  body: ProxyBody,
  problems: [
    "ambiguous",
    "own-container",
    "not-running",
    "unsupported",
    "too-many",
    "agent-away",
    "node-disabled",
    "unreachable",
    "engine-unavailable",
    "engine-error",
  ],
  response: { 200: Invited },
} as const;

export interface OpenRoute {
  apps: Apps;
  relay: Pick<Relay, "connect">;
}

export function addOpen(app: App, { apps, relay }: OpenRoute): void {
  const config = { access: "proxy" } as const;
  app.post("/api/v1/nodes/:node/containers/:ref/open", { config, schema: OPEN }, async (request, reply) => {
    const { node, ref } = request.params;
    const { port } = request.body;
    const identity = callerOf(request);
    const stream = await relay.connect(identity.subject, node, "act");
    const path = `/api/v1/containers/${encodeURIComponent(ref)}/open?port=${port}`;
    reply.raw.once("close", () => stream.destroy());
    const asked = call({ createConnection: () => stream, path, headers: { host: HOST } });
    const answered = answerOf(asked.end());
    const { name: container } = Openable.parse(await valueOf(await answered));
    const from = { host: request.authority, origin: request.headers.origin };
    return apps.invite({ node, container, port, identity }, from);
  });
}
