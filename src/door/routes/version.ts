/** Which program answers, for clients that want to know what they talk to. */

import { z } from "zod";
import type { App } from "../declaration.ts";
import { NoQuery } from "../input.ts";

const VersionAnswer = z.object({
  kind: z.enum(["agent", "server"]),
  node: z.string().describe("The name of its host."),
  version: z.string(),
});

export function addVersion(app: App, answer: z.infer<typeof VersionAnswer>): void {
  const schema = { summary: "Which program this is.", querystring: NoQuery, response: { 200: VersionAnswer } };
  app.get("/api/v1/version", { config: { access: "signed-in" }, schema }, async () => answer);
}
