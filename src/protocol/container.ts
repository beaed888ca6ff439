/** A container as the HTTP API shows it. */

import * as z from "zod/mini";
import { Problem } from "./errors.ts";

export const ContainerView = z.object({
  id: z.string(),
  name: z.string(),
  image: z.string(),
  command: z.string(),
  state: z.string(),
  status: z.string(),
  /** Milliseconds since 1970. */
  created: z.number(),
  /** From Compose's labels, where it has them. */
  project: z.optional(z.string()),
  service: z.optional(z.string()),
  number: z.optional(z.number()),
  ports: z.array(
    z.object({
      container: z.number(),
      protocol: z.string(),
      host: z.optional(z.number()),
      address: z.optional(z.string()),
    }),
  ),
  networks: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
  /** What the caller may do with it. */
  rights: z.array(z.string()),
});
export type ContainerView = z.infer<typeof ContainerView>;

export const ContainerDetailView = z.extend(ContainerView, {
  tty: z.boolean(),
  openStdin: z.boolean(),
  /** Its standard input ends with the first attach that ends it. */
  stdinOnce: z.boolean(),
  startedAt: z.optional(z.string()),
  finishedAt: z.optional(z.string()),
  exitCode: z.optional(z.number()),
  restartPolicy: z.string(),
  health: z.optional(z.string()),
  mounts: z.array(z.object({ type: z.string(), source: z.string(), destination: z.string(), readOnly: z.boolean() })),
});
export type ContainerDetailView = z.infer<typeof ContainerDetailView>;

/** Which container something was done to. */
export const ContainerName = z.object({ id: z.string(), name: z.string() });
export type ContainerName = z.infer<typeof ContainerName>;

export const ContainerList = z.object({ node: z.string(), containers: z.array(ContainerView) });
export type ContainerList = z.infer<typeof ContainerList>;

/** Those of one host of a fleet, as it last told. */
export const HostContainers = z.extend(ContainerList, {
  /** Why they may be others by now, e.g. because the host's agent is away. */
  problem: z.optional(Problem),
});
export type HostContainers = z.infer<typeof HostContainers>;

/** Those of a fleet: all hosts there are, and each whose list is another than in the line before. */
export const FleetContainers = z.object({ nodes: z.array(z.string()), changed: z.array(HostContainers) });
export type FleetContainers = z.infer<typeof FleetContainers>;
