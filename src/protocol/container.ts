/** A container as the HTTP API shows it. */

import { z } from "zod";

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
  project: z.string().optional(),
  service: z.string().optional(),
  number: z.number().optional(),
  ports: z.array(
    z.object({
      container: z.number(),
      protocol: z.string(),
      host: z.number().optional(),
      address: z.string().optional(),
    }),
  ),
  networks: z.array(z.string()),
  labels: z.record(z.string(), z.string()),
  /** What the caller may do with it. */
  rights: z.array(z.string()),
});
export type ContainerView = z.infer<typeof ContainerView>;

export const ContainerDetailView = ContainerView.extend({
  tty: z.boolean(),
  openStdin: z.boolean(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  exitCode: z.number().optional(),
  restartPolicy: z.string(),
  health: z.string().optional(),
  mounts: z.array(z.object({ type: z.string(), source: z.string(), destination: z.string(), readOnly: z.boolean() })),
});
export type ContainerDetailView = z.infer<typeof ContainerDetailView>;

export const ContainerList = z.object({ node: z.string(), containers: z.array(ContainerView) });
export type ContainerList = z.infer<typeof ContainerList>;
