/** Which program answers, for clients that want to know what they talk to. */

import type { FastifyInstance } from "fastify";

export interface VersionAnswer {
  kind: "agent" | "server";
  /** The name of its host. */
  node: string;
  version: string;
}

export function addVersion(app: FastifyInstance, answer: VersionAnswer): void {
  app.get("/api/v1/version", { config: { access: "signed-in" } }, async () => answer);
}
