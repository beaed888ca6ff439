/** Tokens of people and programs: who has one, a new one, one less. */

import { z } from "zod";
import type { App } from "../../../door/declaration.ts";
import { callerOf } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { TokenList, TokenName, TokenRequest, TokenView } from "../../../protocol/login.ts";
import type { ApiTokens } from "../../people/tokens.ts";
import type { Audit } from "../audit.ts";

const Named = z.strictObject({ name: TokenName });

const LIST = {
  summary: "The tokens, without their secrets.",
  querystring: NoQuery,
  response: { 200: TokenList },
} as const;

const ADD = {
  summary: "A new token; it is told this once.",
  querystring: NoQuery,
  body: TokenRequest,
  problems: ["conflict"],
  response: { 201: z.object({ ...TokenView.shape, token: z.string() }) },
} as const;

const REMOVE = {
  summary: "Withdraws a token, and ends what was opened with it.",
  params: Named,
  querystring: NoQuery,
  response: { 204: { description: "Withdrawn." } },
} as const;

export function addTokens(app: App, { tokens, audit }: { tokens: ApiTokens; audit: Audit }): void {
  const config = { access: "admin" } as const;
  app.get("/api/v1/tokens", { config, schema: LIST }, async () => ({ tokens: await tokens.list() }));
  app.post("/api/v1/tokens", { config, schema: ADD }, async (request, reply) => {
    const wish = request.body;
    const { token, view } = await tokens.create({
      ...wish,
      scopes: wish.scopes ?? [],
      by: callerOf(request).subject.grant.subject,
    });
    await audit(request, { action: "tokens add", detail: view.name });
    return await reply.code(201).send({ ...view, token });
  });
  app.delete("/api/v1/tokens/:name", { config, schema: REMOVE }, async (request, reply) => {
    const { name } = request.params;
    const late = await tokens.revoke(name);
    // Of two things that could not be written this one matters more.
    await audit(request, { action: "tokens remove", detail: name }).catch((error: unknown) => {
      throw late ?? error;
    });
    if (late) throw late;
    return await reply.code(204).send();
  });
}
