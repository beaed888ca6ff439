/** What the containers of all hosts use, as the hosts last reported it; nobody's engine is asked for it. */

import { z } from "zod";
import { reaches, type Subject } from "../../../auth/grant.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import type { Watches } from "../../../door/watches.ts";
import type { Beat } from "../../../protocol/node.ts";
import { FleetUsages, type HostUsages } from "../../../protocol/stats.ts";
import type { Nodes } from "../../nodes/nodes.ts";
import type { Relay } from "../../relay/relay.ts";
import { Inspectable } from "../inspectable.ts";
import { patches } from "../patches.ts";

const LIST = {
  summary:
    "What the containers of all hosts use, of those that you may inspect; with a scope, of those that you may list too.",
  description:
    "As their hosts last reported it. All hosts by name, then what is different, at most once a second: each line is a JSON Merge Patch (RFC 7396) of what the lines before it have made. Empty lines are signs of life.",
  // Without `watch` there would be nothing to tell yet of what depends on labels.
  querystring: z.strictObject({ watch: z.enum(["", "1", "true"]) }),
  response: { 200: { description: "The figures.", content: { "application/x-ndjson": { schema: FleetUsages } } } },
} as const;

/** Percent are told to so many digits: what only seems to change is not told. */
const DIGITS = 1;

export interface StatsRoutes {
  nodes: Nodes;
  relay: Relay;
  watches: Watches;
}

export function addStats(app: App, { nodes, relay, watches }: StatsRoutes): void {
  app.get("/api/v1/stats", { config: { access: "inspect" }, schema: LIST }, async (request, reply) => {
    const { subject } = callerOf(request);
    return watches.start(request, reply, (signal) => follow(nodes, { relay, subject, signal }));
  });
}

interface Reader {
  relay: Relay;
  subject: Subject;
  signal: AbortSignal;
}

async function* follow(nodes: Nodes, { relay, subject, signal }: Reader): AsyncGenerator<FleetUsages> {
  const { roster, live } = nodes;
  const follower = await roster.follow(signal);
  const inspectable = new Inspectable({ nodes, relay, subject, signal, changed: (name) => follower.touch(name) });
  const look = (name: string) => {
    const record = reaches(subject.grant, name) ? roster.get(name) : undefined;
    const { lastSeen, beat } = record ? live.of(record.uid) : {};
    if (!record || lastSeen === undefined || !beat) return undefined;
    const late = !live.isReady(record.uid);
    return { time: lastSeen, late, containers: usages(beat, (id) => inspectable.has(name, id)) };
  };
  for await (const hosts of patches(follower.changes(), look)) yield { hosts };
}

function usages({ containers = [] }: Beat, mine: (id: string) => boolean): HostUsages["containers"] {
  const found = containers.filter(({ id }) => mine(id));
  return Object.fromEntries(found.map((stats) => [stats.id, { ...stats, cpu: Number(stats.cpu.toFixed(DIGITS)) }]));
}
