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
