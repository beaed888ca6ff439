/** The containers of all hosts, as a list that goes on; those of one host are at its own address. */

import { z } from "zod";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import type { Watches } from "../../../door/watches.ts";
import { FleetContainers } from "../../../protocol/container.ts";
import type { Nodes } from "../../nodes/nodes.ts";
import type { Relay } from "../../relay/relay.ts";
import { Everywhere } from "../everywhere.ts";
import { visible } from "../visible.ts";

const LIST = {
  summary: "The containers of all hosts that you may see.",
  description:
    "One line for each change, with the hosts whose list is another than before; empty lines are signs of life. A host with a problem could not be asked, and has the list that it last told.",
  // Without `watch` there would be nothing to tell yet.
  querystring: z.strictObject({ watch: z.enum(["", "1", "true"]) }),
  response: { 200: { description: "The lists.", content: { "application/x-ndjson": { schema: FleetContainers } } } },
} as const;

export interface ContainerRoutes {
  nodes: Nodes;
  relay: Relay;
  watches: Watches;
}

export function addContainers(app: App, { nodes, relay, watches }: ContainerRoutes): void {
  app.get("/api/v1/containers", { config: { access: "list" }, schema: LIST }, async (request, reply) => {
    const { subject } = callerOf(request);
    return watches.start(request, reply, (signal) =>
      new Everywhere({ relay, subject, nodes: visible(nodes, subject, signal), signal }).lines(),
    );
  });
}
