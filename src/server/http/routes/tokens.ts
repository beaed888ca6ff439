/** Tokens of people and programs: who has one, a new one, one less. */

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { callerOf } from "../../../door/door.ts";
import { parseInput } from "../../../door/input.ts";
import { TokenName, TokenRequest } from "../../../protocol/login.ts";
import type { ApiTokens } from "../../people/tokens.ts";
import type { Audit } from "../audit.ts";

const Named = z.strictObject({ name: TokenName });

export function addTokens(app: FastifyInstance, { tokens, audit }: { tokens: ApiTokens; audit: Audit }): void {
  const config = { access: "admin" } as const;
  app.get("/api/v1/tokens", { config }, async () => ({ tokens: await tokens.list() }));
  app.post("/api/v1/tokens", { config }, async (request, reply) => {
    const wish = parseInput(TokenRequest, request.body);
    const { token, view } = await tokens.create({
      ...wish,
      scopes: wish.scopes ?? [],
      by: callerOf(request).subject.grant.subject,
    });
    await audit(request, { action: "tokens add", detail: view.name });
    return await reply.code(201).send({ ...view, token });
  });
  app.delete("/api/v1/tokens/:name", { config }, async (request, reply) => {
    const { name } = parseInput(Named, request.params);
    await tokens.revoke(name);
    await audit(request, { action: "tokens remove", detail: name });
    return await reply.code(204).send();
  });
}
