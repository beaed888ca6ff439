/** Starting, stopping, restarting and removing a container. */

import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { App } from "../../../door/declaration.ts";
import { NoQuery } from "../../../door/input.ts";
import { goneSignal } from "../../../door/stay.ts";
import { ContainerName } from "../../../protocol/container.ts";
import type { ErrorCode } from "../../../protocol/errors.ts";
import { isSet, RemoveQuery, StopQuery } from "../../../protocol/query.ts";
import type { Order } from "../../runtime/runtime.ts";
import { ContainerParams } from "../input.ts";
import { type Desk, visitOf } from "../visit.ts";

const PROBLEMS: ErrorCode[] = [
  "ambiguous",
  "own-container",
  "conflict",
  "too-many",
  "engine-unavailable",
  "engine-error",
];
const DECLARED = { params: ContainerParams, problems: PROBLEMS, response: { 200: ContainerName } } as const;

export function addLifecycle(app: App, desk: Desk): void {
  const config = { access: "lifecycle" } as const;
  const path = "/api/v1/containers/:ref";
  const carryOut = async (request: FastifyRequest, reply: FastifyReply, order: Order): Promise<ContainerName> => {
    const { ref: reference } = request.params as z.output<typeof ContainerParams>;
    // A container that takes its time to end is no stalled answer.
    reply.raw.socket?.setTimeout(0);
    const { id, name } = await desk.sessions.control(
      { reference, order },
      visitOf(request, desk, goneSignal(reply.raw)),
    );
    return { id, name };
  };
  const start = { ...DECLARED, summary: "Starts a container.", querystring: NoQuery };
  app.post(`${path}/start`, { config, schema: start }, async (request, reply) =>
    carryOut(request, reply, { kind: "start" }),
  );
  for (const [kind, summary] of [
    ["stop", "Stops a container."],
    ["restart", "Stops and starts a container."],
  ] as const)
    app.post(
      `${path}/${kind}`,
      { config, schema: { ...DECLARED, summary, querystring: StopQuery } },
      async (request, reply) => {
        const { timeout } = request.query;
        return carryOut(request, reply, { kind, ...(timeout !== undefined && { timeout: Number(timeout) }) });
      },
    );
  const remove = { ...DECLARED, summary: "Removes a container.", querystring: RemoveQuery };
  app.delete(path, { config, schema: remove }, async (request, reply) => {
    const { force, volumes } = request.query;
    return carryOut(request, reply, { kind: "remove", force: isSet(force), volumes: isSet(volumes) });
  });
}
