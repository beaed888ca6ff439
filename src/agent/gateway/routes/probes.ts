/** For load balancers and monitors: a bare word for anyone, more for those who hold `metrics`. */

import type { FastifyReply, FastifyRequest, FastifySchema } from "fastify";
import type { Registry } from "prom-client";
import { z } from "zod";
import { holds } from "../../../auth/grant.ts";
import type { App } from "../../../door/declaration.ts";
import type { Door } from "../../../door/door.ts";
import { AnyQuery } from "../../../door/input.ts";
import type { ContainerDesk } from "../options.ts";

const HEALTH = {
  summary: "Whether the agent lives.",
  querystring: AnyQuery,
  response: { 200: z.object({ status: z.literal("ok"), uptimeSeconds: z.int().optional() }) },
} as const;

const Readiness = z.object({
  status: z.enum(["ready", "not ready"]),
  engine: z.boolean().optional(),
  containers: z.boolean().optional(),
  draining: z.boolean().optional(),
  /** What is wrong with the engine. */
  reason: z.string().optional(),
});
const READY = {
  summary: "Whether the agent takes work.",
  querystring: AnyQuery,
  response: { 200: Readiness, 503: Readiness },
} as const;

const METRICS = {
  summary: "What the agent counts, for Prometheus.",
  querystring: AnyQuery,
  response: { 200: { description: "The metrics.", content: { "text/plain": { schema: z.string() } } } },
} as const;

export interface ProbeParts {
  door: Door;
  registry: Registry;
  metricsPublic: boolean;
  containers: ContainerDesk;
  runtimeReady: () => boolean;
  draining: AbortSignal;
  uplink: (() => object) | undefined;
}

export function addProbes(app: App, parts: ProbeParts): void {
  const started = performance.now();
  probe(app, { url: "/healthz", schema: HEALTH }, async (request, reply) => {
    const detail = await maySeeDetail(parts.door, request, reply);
    return { status: "ok", ...(detail && { uptimeSeconds: Math.floor((performance.now() - started) / 1_000) }) };
  });
  probe(app, { url: "/readyz", schema: READY }, async (request, reply) => {
    const [engine, draining] = [parts.runtimeReady(), parts.draining.aborted];
    const ready = engine && !draining;
    const detail = await maySeeDetail(parts.door, request, reply);
    reply.code(ready ? 200 : 503);
    const { containers, uplink } = parts;
    const trouble = !containers.ready && { reason: containers.away.message };
    return {
      status: ready ? "ready" : "not ready",
      ...(detail && { engine, containers: containers.ready, draining, ...trouble, ...uplink?.() }),
    };
  });
  const config = { access: parts.metricsPublic ? "anyone" : "metrics" } as const;
  app.get("/metrics", { config, schema: METRICS }, async (_request, reply) =>
    reply.header("content-type", parts.registry.contentType).send(await parts.registry.metrics()),
  );
}

function probe(
  app: App,
  declared: { url: string; schema: FastifySchema },
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<object>,
): void {
  app.route({ method: ["GET", "HEAD"], config: { access: "anyone" }, ...declared, handler });
}

async function maySeeDetail(door: Door, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const identity = await door.recognise(request, reply);
  return identity !== undefined && holds(identity.subject.grant, "metrics");
}
