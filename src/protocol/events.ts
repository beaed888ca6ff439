/** What a server writes down for people: events of the fleet. */

import * as z from "zod/mini";

export const FleetEvent = z.object({
  /** Rises by one; a reader goes on after the last one that it has. */
  seq: z.int(),
  /** Milliseconds since 1970. */
  time: z.number(),
  /** Such as `NodeReady`. */
  type: z.string(),
  node: z.optional(z.string()),
  message: z.string(),
});
export type FleetEvent = z.infer<typeof FleetEvent>;

export const FleetEvents = z.object({ events: z.array(FleetEvent) });
