/** The hosts of the fleet: who is there, and what an administrator does to them. */

import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { reaches } from "../../../auth/grant.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery, parseInput } from "../../../door/input.ts";
import { absent } from "../../../door/problems.ts";
import type { Watches } from "../../../door/watches.ts";
import { NodeName, NodeSettingsChange, type NodeView } from "../../../protocol/node.ts";
import type { BootstrapTokens } from "../../nodes/bootstrap.ts";
import type { Nodes } from "../../nodes/nodes.ts";
import type { Audit } from "../audit.ts";

const Named = z.strictObject({ name: NodeName });
const ListQuery = z.strictObject({ watch: z.enum(["0", "1", "false", "true"]).optional() });

export interface NodeRoutes {
  nodes: Nodes;
  bootstrap: BootstrapTokens;
  watches: Watches;
  audit: Audit;
}

export function addNodes(app: FastifyInstance, parts: NodeRoutes): void {
  addReading(app, parts);
  addChanging(app, parts);
  addSwitches(app, parts);
}

function addReading(app: FastifyInstance, { nodes, watches }: NodeRoutes): void {
  const visible = async (request: FastifyRequest) => {
    const { grant } = callerOf(request).subject;
    return { nodes: (await nodes.list()).filter(({ name }) => reaches(grant, name)) };
  };
  app.get("/api/v1/nodes", { config: { access: "list" } }, async (request, reply) => {
    const { watch } = parseInput(ListQuery, request.query);
    if (watch !== "1" && watch !== "true") return await visible(request);
    return watches.start(request, reply, (signal) => lists(nodes.live.changes(signal), () => visible(request)));
  });
  app.get("/api/v1/nodes/:name", { config: { access: "list" } }, async (request) => {
    parseInput(NoQuery, request.query);
    const { name } = parseInput(Named, request.params);
    if (!reaches(callerOf(request).subject.grant, name)) throw absent();
    return await nodes.get(name);
  });
}

function addChanging(app: FastifyInstance, { nodes, bootstrap, audit }: NodeRoutes): void {
  const config = { access: "admin" } as const;
  app.post("/api/v1/nodes", { config }, async (request, reply) => {
    const { name } = parseInput(Named, request.body);
    const { uid } = await nodes.add(name);
    const issued = await bootstrap.issue({ node: name, uid });
    await audit(request, { action: "nodes add", node: name });
    return await reply.code(201).send({ name, uid, ...issued });
  });
  app.delete("/api/v1/nodes/:name", { config }, async (request, reply) => {
    const { name } = parseInput(Named, request.params);
    await bootstrap.withdraw(await nodes.remove(name));
    await audit(request, { action: "nodes remove", node: name });
    return await reply.code(204).send();
  });
  app.patch("/api/v1/nodes/:name/settings", { config }, async (request) => {
    const { name } = parseInput(Named, request.params);
    const change = parseInput(NodeSettingsChange, request.body);
    // In JSON nothing is undefined: null takes a setting back to the server's own.
    const settings = Object.fromEntries(Object.entries(change).map(([key, value]) => [key, value ?? undefined]));
    const view = await nodes.set(name, settings);
    await audit(request, { action: "nodes set", node: name, detail: JSON.stringify(change) });
    return view;
  });
}

/** What needs no more than a name. */
function addSwitches(app: FastifyInstance, { nodes, audit }: NodeRoutes): void {
  const config = { access: "admin" } as const;
  const actions: Record<string, (name: string) => Promise<NodeView>> = {
    enable: (name) => nodes.enable(name, "enabled"),
    disable: (name) => nodes.enable(name, "disabled"),
    rotate: (name) => nodes.rotate(name),
  };
  for (const [action, act] of Object.entries(actions))
    app.post(`/api/v1/nodes/:name/${action}`, { config }, async (request) => {
      const { name } = parseInput(Named, request.params);
      const view = await act(name);
      await audit(request, { action: `nodes ${action}`, node: name });
      return view;
    });
}

async function* lists<T>(changes: AsyncIterable<void>, look: () => Promise<T>): AsyncGenerator<T> {
  for await (const _ of changes) yield await look();
}
