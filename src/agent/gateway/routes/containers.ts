/** The containers a caller may see: once, one of them, or as they change. */

import type { FastifyInstance } from "fastify";
import type { ContainerList, ContainerView } from "../../../protocol/container.ts";
import { FairleadError } from "../../../protocol/errors.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery, parseInput } from "../../../door/input.ts";
import { ContainerParams } from "../input.ts";
import type { ContainerDesk } from "../options.ts";
import { goneSignal } from "../../../door/stay.ts";
import type { Watches } from "../../../door/watches.ts";
import { isSet, WatchQuery } from "../../../protocol/query.ts";

/** How long the engine may take to describe one container. */
const INSPECT_MS = 30_000;

export interface ContainerParts {
  node: string;
  containers: ContainerDesk;
  watches: Watches;
}

export function addContainers(app: FastifyInstance, parts: ContainerParts): void {
  const { node, watches } = parts;
  app.get("/api/v1/containers", { config: { access: "list" } }, async (request, reply) => {
    const { watch } = parseInput(WatchQuery, request.query);
    if (!parts.containers.ready) throw engineAway();
    const { grant } = callerOf(request).subject;
    if (isSet(watch))
      return watches.start(request, reply, (signal) => lists(parts, parts.containers.changes(grant, signal)));
    return { node, containers: await parts.containers.listed(grant) };
  });
  app.get("/api/v1/containers/:ref", { config: { access: "inspect" } }, async (request, reply) => {
    parseInput(NoQuery, request.query);
    const { ref } = parseInput(ContainerParams, request.params);
    const signal = AbortSignal.any([goneSignal(reply.raw), AbortSignal.timeout(INSPECT_MS)]);
    return await parts.containers.detail(ref, callerOf(request).subject.grant, signal);
  });
}

/** An engine that is away has no list; an empty one would say that the containers are gone. */
async function* lists(
  { node, containers }: ContainerParts,
  changes: AsyncIterable<ContainerView[]>,
): AsyncGenerator<ContainerList> {
  for await (const list of changes) {
    if (!containers.ready) throw engineAway();
    yield { node, containers: list };
  }
}

function engineAway(): FairleadError {
  return new FairleadError("engine-unavailable", "The container engine does not answer; the agent keeps trying.");
}
