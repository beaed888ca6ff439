/** For load balancers and monitors: a bare word for anyone, figures for those who hold `metrics`. */

import type { Registry } from "prom-client";
import { z } from "zod";
import type { App } from "../../../door/declaration.ts";
import { AnyQuery } from "../../../door/input.ts";

const HEALTH = {
  summary: "Whether the server lives.",
  querystring: AnyQuery,
  response: { 200: z.object({ status: z.literal("ok") }) },
} as const;

const Readiness = z.object({ status: z.enum(["ready", "not ready"]) });
const READY = {
  summary: "Whether the server takes work.",
  querystring: AnyQuery,
  response: { 200: Readiness, 503: Readiness },
} as const;

const METRICS = {
  summary: "What the server counts, for Prometheus.",
  querystring: AnyQuery,
  response: { 200: { description: "The metrics.", content: { "text/plain": { schema: z.string() } } } },
} as const;

export interface ProbeParts {
  registry: Registry;
  metricsPublic: boolean;
  isReady: () => boolean;
  draining: AbortSignal;
}

export function addProbes(app: App, { registry, metricsPublic, isReady, draining }: ProbeParts): void {
  const config = { access: "anyone" } as const;
  app.route({
    method: ["GET", "HEAD"],
    url: "/healthz",
    config,
    schema: HEALTH,
    handler: async () => ({ status: "ok" }),
  });
  app.route({
    method: ["GET", "HEAD"],
    url: "/readyz",
    config,
    schema: READY,
    handler: async (_request, reply) => {
      const ready = isReady() && !draining.aborted;
      reply.code(ready ? 200 : 503);
      return { status: ready ? "ready" : "not ready" };
    },
  });
  const access = metricsPublic ? "anyone" : "metrics";
  app.get("/metrics", { config: { access }, schema: METRICS }, async (_request, reply) =>
    reply.header("content-type", registry.contentType).send(await registry.metrics()),
  );
}
