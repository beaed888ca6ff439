/** Starting, stopping, restarting and removing a container. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { NoQuery, parseInput } from "../../../door/input.ts";
import { goneSignal } from "../../../door/stay.ts";
import type { ContainerName } from "../../../protocol/container.ts";
import { isSet, RemoveQuery, StopQuery } from "../../../protocol/query.ts";
import type { Order } from "../../runtime/runtime.ts";
import { ContainerParams } from "../input.ts";
import { type Desk, visitOf } from "../visit.ts";

export function addLifecycle(app: FastifyInstance, desk: Desk): void {
  const config = { access: "lifecycle" } as const;
  const path = "/api/v1/containers/:ref";
  const carryOut = async (request: FastifyRequest, reply: FastifyReply, order: Order): Promise<ContainerName> => {
    const { ref: reference } = parseInput(ContainerParams, request.params);
    // A container that takes its time to end is no stalled answer.
    reply.raw.socket?.setTimeout(0);
    const { id, name } = await desk.sessions.control(
      { reference, order },
      visitOf(request, desk, goneSignal(reply.raw)),
    );
    return { id, name };
  };
  app.post(`${path}/start`, { config }, async (request, reply) => {
    parseInput(NoQuery, request.query);
    return carryOut(request, reply, { kind: "start" });
  });
  for (const kind of ["stop", "restart"] as const)
    app.post(`${path}/${kind}`, { config }, async (request, reply) => {
      const { timeout } = parseInput(StopQuery, request.query);
      return carryOut(request, reply, { kind, ...(timeout !== undefined && { timeout: Number(timeout) }) });
    });
  app.delete(path, { config }, async (request, reply) => {
    const { force, volumes } = parseInput(RemoveQuery, request.query);
    return carryOut(request, reply, { kind: "remove", force: isSet(force), volumes: isSet(volumes) });
  });
}
