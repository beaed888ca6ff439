/** What a server writes down for people: events of the fleet, and the audit of who did what. */

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

export const AuditEntry = z.object({
  seq: z.int(),
  time: z.number(),
  /** Who did it. */
  subject: z.string(),
  /** From where. */
  address: z.string(),
  /** Such as `nodes add`. */
  action: z.string(),
  node: z.optional(z.string()),
  detail: z.optional(z.string()),
});
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditEntries = z.object({ entries: z.array(AuditEntry) });
