/** Which program answers, for clients that want to know what they talk to. */

import type { FastifyInstance } from "fastify";

export function addVersion(app: FastifyInstance, answer: { node: string; version: string }): void {
  app.get("/api/v1/version", { config: { access: "signed-in" } }, async () => answer);
}
