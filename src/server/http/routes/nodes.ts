/** The hosts of the fleet: who is there, and what an administrator does to them. */

import { z } from "zod";
import { reaches } from "../../../auth/grant.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { absent } from "../../../door/problems.ts";
import type { Watches } from "../../../door/watches.ts";
import { NodeChanges, NodeList, NodeName, NodeSettingsChange, NodeView } from "../../../protocol/node.ts";
import type { Grant } from "../../../protocol/rights.ts";
import { isSet, WatchQuery } from "../../../protocol/query.ts";
import type { BootstrapTokens } from "../../nodes/bootstrap.ts";
import type { Nodes } from "../../nodes/nodes.ts";
import type { Audit } from "../audit.ts";
import { patches } from "../patches.ts";
import { seenWith } from "../visible.ts";

const Named = z.strictObject({ name: NodeName });

const LIST = {
  summary: "The hosts that you may see.",
  description:
    "With `watch` all hosts by name, then what is different, at most once a second: each line is a JSON Merge Patch (RFC 7396) of what the lines before it have made. Empty lines are signs of life.",
  querystring: WatchQuery,
  response: {
    200: {
      description: "The list.",
      content: { "application/json": { schema: NodeList }, "application/x-ndjson": { schema: NodeChanges } },
    },
  },
} as const;

const ONE = { summary: "One host.", params: Named, querystring: NoQuery, response: { 200: NodeView } } as const;

const ADD = {
  summary: "A new host, and the one-time token with which its agent registers.",
  querystring: NoQuery,
  body: Named,
  problems: ["conflict"],
  response: {
    201: z.object({
      name: NodeName,
      uid: z.string(),
      token: z.string(),
      expires: z.int().describe("Milliseconds since 1970."),
    }),
  },
} as const;

const REMOVE = {
  summary: "The host's key and tokens are good for nothing any more, and what is open on it ends.",
  params: Named,
  querystring: NoQuery,
  response: { 204: { description: "Removed." } },
} as const;

const SET = {
  summary: "Changes settings of one host; null takes one back to the server's own.",
  params: Named,
  querystring: NoQuery,
  body: NodeSettingsChange,
  response: { 200: NodeView },
} as const;

const SWITCHES = {
  enable: "The host takes new work again.",
  disable: "The host takes no new work; what runs goes on, but open pages of containers end.",
  rotate: "The host is asked for a new key at its next report.",
} as const;

export interface NodeRoutes {
  nodes: Nodes;
  bootstrap: BootstrapTokens;
  watches: Watches;
  audit: Audit;
}

export function addNodes(app: App, parts: NodeRoutes): void {
  addReading(app, parts);
  addChanging(app, parts);
  addSwitches(app, parts);
}

function addReading(app: App, { nodes, watches }: NodeRoutes): void {
  const config = { access: "list" } as const;
  app.get("/api/v1/nodes", { config, schema: LIST }, async (request, reply) => {
    const { grant } = callerOf(request).subject;
    if (!isSet(request.query.watch)) {
      const his = (await nodes.list()).filter(({ name }) => reaches(grant, name));
      return { nodes: his.map((view) => seenWith(grant, view)) };
    }
    return watches.start(request, reply, (signal) => follow(nodes, grant, signal));
  });
  app.get("/api/v1/nodes/:name", { config, schema: ONE }, async (request) => {
    const { name } = request.params;
    const { grant } = callerOf(request).subject;
    if (!reaches(grant, name)) throw absent();
    return seenWith(grant, await nodes.get(name));
  });
}

function addChanging(app: App, { nodes, bootstrap, audit }: NodeRoutes): void {
  const config = { access: "admin" } as const;
  app.post("/api/v1/nodes", { config, schema: ADD }, async (request, reply) => {
    const { name } = request.body;
    const { uid } = await nodes.add(name);
    // It is there from here on, whatever becomes of the token.
    await audit(request, { action: "nodes add", node: name });
    const issued = await bootstrap.issue({ node: name, uid });
    return await reply.code(201).send({ name, uid, ...issued });
  });
  app.delete("/api/v1/nodes/:name", { config, schema: REMOVE }, async (request, reply) => {
    const { name } = request.params;
    const uid = await nodes.remove(name);
    await audit(request, { action: "nodes remove", node: name });
    if (uid !== undefined) await bootstrap.withdraw(uid);
    return await reply.code(204).send();
  });
  app.patch("/api/v1/nodes/:name/settings", { config, schema: SET }, async (request) => {
    const { name } = request.params;
    const change = request.body;
    // In JSON nothing is undefined: null takes a setting back to the server's own.
    const settings = Object.fromEntries(Object.entries(change).map(([key, value]) => [key, value ?? undefined]));
    const view = await nodes.set(name, settings);
    await audit(request, { action: "nodes set", node: name, detail: JSON.stringify(change) });
    return view;
  });
}

/** What needs no more than a name. */
function addSwitches(app: App, { nodes, audit }: NodeRoutes): void {
  const config = { access: "admin" } as const;
  const actions: Record<keyof typeof SWITCHES, (name: string) => Promise<NodeView>> = {
    enable: (name) => nodes.enable(name, "enabled"),
    disable: (name) => nodes.enable(name, "disabled"),
    rotate: (name) => nodes.rotate(name),
  };
  for (const [action, act] of Object.entries(actions)) {
    const summary = SWITCHES[action as keyof typeof SWITCHES];
    const schema = { summary, params: Named, querystring: NoQuery, response: { 200: NodeView } };
    app.post(`/api/v1/nodes/:name/${action}`, { config, schema }, async (request) => {
      const { name } = request.params;
      const view = await act(name);
      await audit(request, { action: `nodes ${action}`, node: name });
      return view;
    });
  }
}

async function* follow(nodes: Nodes, grant: Grant, signal: AbortSignal): AsyncGenerator<NodeChanges> {
  const { roster } = nodes;
  const look = (name: string) => {
    const record = reaches(grant, name) ? roster.get(name) : undefined;
    return record && seenWith(grant, nodes.view(record));
  };
  const follower = await roster.follow(signal);
  for await (const changed of patches(follower.changes(), look)) yield { nodes: changed };
}
