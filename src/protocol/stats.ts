/** What containers use, as the HTTP API shows it. */

import * as z from "zod/mini";

export const StatsView = z.object({
  id: z.string(),
  name: z.string(),
  /** Percent of one processor: two that are busy make 200. */
  cpu: z.number(),
  /** Bytes; the limit is the host's where none is set. */
  memory: z.object({ used: z.number(), limit: z.number() }),
  /** Bytes since the container started. */
  network: z.object({ received: z.number(), sent: z.number() }),
  block: z.object({ read: z.number(), written: z.number() }),
  pids: z.number(),
});
export type StatsView = z.infer<typeof StatsView>;

/** Of those that run. */
export const StatsList = z.object({ node: z.string(), stats: z.array(StatsView) });
export type StatsList = z.infer<typeof StatsList>;

/** What a host of a fleet last reported of its containers. */
export const HostUsages = z.object({
  /** When that was, in milliseconds since 1970. */
  time: z.number(),
  /** It has missed reports since. */
  late: z.boolean(),
  /** By id, of those that ran. */
  containers: z.record(z.string(), StatsView),
});
export type HostUsages = z.infer<typeof HostUsages>;

/** By host, as it changes: each line is a JSON Merge Patch (RFC 7396) of what the lines before it have made, the first one of nothing. */
export const FleetUsages = z.object({
  hosts: z.record(z.string(), z.nullable(z.record(z.string(), z.unknown()))),
});
export type FleetUsages = z.infer<typeof FleetUsages>;
