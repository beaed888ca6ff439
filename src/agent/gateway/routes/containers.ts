/** The containers a caller may see: once, one of them, or as they change. */

import { ContainerDetailView, ContainerList, type ContainerView } from "../../../protocol/container.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { ContainerParams } from "../input.ts";
import type { ContainerDesk } from "../options.ts";
import { goneSignal } from "../../../door/stay.ts";
import type { Watches } from "../../../door/watches.ts";
import { isSet, WatchQuery } from "../../../protocol/query.ts";

/** How long the engine may take to describe one container. */
const INSPECT_MS = 30_000;

const LIST = {
  summary: "The containers that you may see.",
  description:
    "With `watch` the list again after each change, one a line, and empty lines as signs of life. When it ends for a reason, the last line is a problem document.",
  querystring: WatchQuery,
  problems: ["engine-unavailable"],
  response: {
    200: {
      description: "The list.",
      content: { "application/json": { schema: ContainerList }, "application/x-ndjson": { schema: ContainerList } },
    },
  },
} as const;

const ONE = {
  summary: "One container.",
  params: ContainerParams,
  querystring: NoQuery,
  problems: ["ambiguous", "engine-unavailable", "engine-error"],
  response: { 200: ContainerDetailView },
} as const;

export interface ContainerParts {
  node: string;
  containers: ContainerDesk;
  watches: Watches;
}

export function addContainers(app: App, parts: ContainerParts): void {
  const { node, watches } = parts;
  app.get("/api/v1/containers", { config: { access: "list" }, schema: LIST }, async (request, reply) => {
    if (!parts.containers.ready) throw parts.containers.away;
    const { grant } = callerOf(request).subject;
    if (isSet(request.query.watch))
      return watches.start(request, reply, (signal) => lists(parts, parts.containers.changes(grant, signal)));
    return { node, containers: await parts.containers.listed(grant) };
  });
  app.get("/api/v1/containers/:ref", { config: { access: "inspect" }, schema: ONE }, async (request, reply) => {
    const signal = AbortSignal.any([goneSignal(reply.raw), AbortSignal.timeout(INSPECT_MS)]);
    return await parts.containers.detail(request.params.ref, callerOf(request).subject.grant, signal);
  });
}

/** An engine that is away has no list; an empty one would say that the containers are gone. */
async function* lists(
  { node, containers }: ContainerParts,
  changes: AsyncIterable<ContainerView[]>,
): AsyncGenerator<ContainerList> {
  for await (const list of changes) {
    if (!containers.ready) throw containers.away;
    yield { node, containers: list };
  }
}
