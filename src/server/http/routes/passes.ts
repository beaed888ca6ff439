/** The way to an agent past the relay: a pass, and the addresses to show it at. */

import { z } from "zod";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { NodeName } from "../../../protocol/node.ts";
import { PassReply, PassRequest } from "../../../protocol/pass.ts";
import type { PassOffice } from "../../relay/pass-office.ts";
import type { Audit } from "../audit.ts";

const PASS = {
  summary: "A pass with which its holder dials the host's agent directly, or why there is none.",
  description: "docs/protocol.md, section 8, tells how it is shown.",
  params: z.strictObject({ name: NodeName }),
  querystring: NoQuery,
  body: PassRequest,
  response: { 200: PassReply },
} as const;

export function addPasses(app: App, { passes, audit }: { passes: PassOffice; audit: Audit }): void {
  const config = { access: "signed-in" } as const;
  app.post("/api/v1/nodes/:name/pass", { config, schema: PASS }, async (request) => {
    const { name: node } = request.params;
    const { subject, page } = callerOf(request);
    // Agents are told of tokens that are withdrawn, not of pages that are signed out.
    if (page) return { why: "a page comes through the server" } satisfies PassReply;
    const reply = await passes.issue(subject, { node, key: request.body.key });
    if ("pass" in reply) await audit(request, { action: "pass", node });
    return reply;
  });
}
