/** The containers a caller may see: once, one of them, or as they change. */

import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import type { ContainerView } from "../../../protocol/container.ts";
import { FairleadError } from "../../../protocol/errors.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery, parseInput } from "../../../door/input.ts";
import { ContainerParams } from "../input.ts";
import type { Limits } from "../../../door/options.ts";
import type { ContainerDesk } from "../options.ts";
import { goneSignal } from "../../../door/stay.ts";
import { watchLines } from "../watch.ts";

/** How long the engine may take to describe one container. */
const INSPECT_MS = 30_000;
const WATCH_BUFFER = 65_536;
/** How long a reader may take to read why its watch ends; one that has stopped reading is cut. */
const LAST_LINE_MS = 2_000;

const ListQuery = z.strictObject({ watch: z.enum(["0", "1", "false", "true"]).optional() });

export interface ContainerParts {
  node: string;
  containers: ContainerDesk;
  limits: Limits;
  draining: AbortSignal;
}

export function addContainers(app: FastifyInstance, parts: ContainerParts): void {
  const watches = new Set<FastifyReply>();
  app.get("/api/v1/containers", { config: { access: "list" } }, async (request, reply) => {
    const { watch } = parseInput(ListQuery, request.query);
    if (!parts.containers.ready) throw engineAway();
    if (watch === "1" || watch === "true") return startWatch(request, reply, { ...parts, watches });
    return { node: parts.node, containers: parts.containers.visible(callerOf(request).subject.grant) };
  });
  app.get("/api/v1/containers/:ref", { config: { access: "inspect" } }, async (request, reply) => {
    parseInput(NoQuery, request.query);
    const { ref } = parseInput(ContainerParams, request.params);
    const signal = AbortSignal.any([goneSignal(reply.raw), AbortSignal.timeout(INSPECT_MS)]);
    return await parts.containers.detail(ref, callerOf(request).subject.grant, signal);
  });
}

function startWatch(
  request: FastifyRequest,
  reply: FastifyReply,
  { containers, limits, node, draining, watches }: ContainerParts & { watches: Set<FastifyReply> },
): FastifyReply {
  if (watches.size >= limits.watches)
    throw new FairleadError("too-many", `${limits.watches} lists of containers are being watched; close one first.`);
  const { subject, page } = callerOf(request);
  const release = page?.hold();
  watches.add(reply);
  reply.raw.once("close", () => {
    watches.delete(reply);
    release?.();
  });
  const signal = AbortSignal.any([subject.revoked, draining, goneSignal(reply.raw)]);
  signal.addEventListener("abort", () => setTimeout(() => reply.raw.destroy(), LAST_LINE_MS).unref(), { once: true });
  const lists = whileReady(containers, containers.changes(subject.grant, signal));
  const lines = watchLines(lists, { node, heartbeatMs: limits.heartbeatMs, signal });
  const stream = Readable.from(lines, { objectMode: false, highWaterMark: WATCH_BUFFER });
  return reply.header("content-type", "application/x-ndjson").header("x-accel-buffering", "no").send(stream);
}

/** An engine that is away has no list; an empty one would say that the containers are gone. */
async function* whileReady(
  containers: ContainerDesk,
  lists: AsyncIterable<ContainerView[]>,
): AsyncGenerator<ContainerView[]> {
  for await (const list of lists) {
    if (!containers.ready) throw engineAway();
    yield list;
  }
}

function engineAway(): FairleadError {
  return new FairleadError("engine-unavailable", "The container engine does not answer; the agent keeps trying.");
}
