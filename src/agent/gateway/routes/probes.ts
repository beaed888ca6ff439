/** For load balancers and monitors: a bare word for anyone, more for those who hold `metrics`. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Registry } from "prom-client";
import { holds } from "../../../auth/grant.ts";
import type { Door } from "../../../door/door.ts";
import type { ContainerDesk } from "../options.ts";

export interface ProbeParts {
  door: Door;
  registry: Registry;
  metricsPublic: boolean;
  containers: ContainerDesk;
  runtimeReady: () => boolean;
  draining: AbortSignal;
  uplink: (() => object) | undefined;
}

export function addProbes(app: FastifyInstance, parts: ProbeParts): void {
  const started = Date.now();
  probe(app, "/healthz", async (request, reply) => {
    const detail = await maySeeDetail(parts.door, request, reply);
    return { status: "ok", ...(detail && { uptimeSeconds: Math.floor((Date.now() - started) / 1_000) }) };
  });
  probe(app, "/readyz", async (request, reply) => {
    const [engine, draining] = [parts.runtimeReady(), parts.draining.aborted];
    const ready = engine && !draining;
    const detail = await maySeeDetail(parts.door, request, reply);
    reply.code(ready ? 200 : 503);
    return {
      status: ready ? "ready" : "not ready",
      ...(detail && { engine, containers: parts.containers.ready, draining, ...parts.uplink?.() }),
    };
  });
  app.get("/metrics", { config: { access: parts.metricsPublic ? "anyone" : "metrics" } }, async (_request, reply) =>
    reply.header("content-type", parts.registry.contentType).send(await parts.registry.metrics()),
  );
}

function probe(
  app: FastifyInstance,
  url: string,
  handler: (request: FastifyRequest, reply: FastifyReply) => Promise<object>,
): void {
  app.route({ method: ["GET", "HEAD"], url, config: { access: "anyone" }, handler });
}

async function maySeeDetail(door: Door, request: FastifyRequest, reply: FastifyReply): Promise<boolean> {
  const identity = await door.recognise(request, reply);
  return identity !== undefined && holds(identity.subject.grant, "metrics");
}
