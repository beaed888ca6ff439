/** For load balancers and monitors: a bare word for anyone, figures for those who hold `metrics`. */

import type { FastifyInstance } from "fastify";
import type { Registry } from "prom-client";

export interface ProbeParts {
  registry: Registry;
  metricsPublic: boolean;
  isReady: () => boolean;
  draining: AbortSignal;
}

export function addProbes(app: FastifyInstance, { registry, metricsPublic, isReady, draining }: ProbeParts): void {
  const config = { access: "anyone" } as const;
  app.route({ method: ["GET", "HEAD"], url: "/healthz", config, handler: async () => ({ status: "ok" }) });
  app.route({
    method: ["GET", "HEAD"],
    url: "/readyz",
    config,
    handler: async (_request, reply) => {
      const ready = isReady() && !draining.aborted;
      reply.code(ready ? 200 : 503);
      return { status: ready ? "ready" : "not ready" };
    },
  });
  app.get("/metrics", { config: { access: metricsPublic ? "anyone" : "metrics" } }, async (_request, reply) =>
    reply.header("content-type", registry.contentType).send(await registry.metrics()),
  );
}
