/** Which program answers, for clients that want to know what they talk to. */

import { z } from "zod";
import type { App } from "../../../door/declaration.ts";
import { NoQuery } from "../../../door/input.ts";

const Version = z.object({ node: z.string(), version: z.string() });

export function addVersion(app: App, answer: z.infer<typeof Version>): void {
  const schema = { summary: "The agent's name and version.", querystring: NoQuery, response: { 200: Version } };
  app.get("/api/v1/version", { config: { access: "signed-in" }, schema }, async () => answer);
}
