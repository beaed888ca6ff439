/** What happened to containers, as an agent's HTTP API shows it. */

import * as z from "zod/mini";

export const ContainerEventView = z.object({
  /** RFC 3339 with nanoseconds. */
  time: z.string(),
  /** The engine's word; `engine-away`, `engine-back` and `missed` are the agent's own, where events may be missing. */
  action: z.string(),
  /** Absent where it is about none. */
  container: z.optional(z.object({ id: z.string(), name: z.string(), image: z.string() })),
  /** Such as `exitCode`, `signal`, `oldName`. */
  details: z.record(z.string(), z.string()),
});
export type ContainerEventView = z.infer<typeof ContainerEventView>;

export const ContainerEventList = z.object({ node: z.string(), events: z.array(ContainerEventView) });
export type ContainerEventList = z.infer<typeof ContainerEventList>;
