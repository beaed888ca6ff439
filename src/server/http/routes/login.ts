/** How people's programs come by a token: with a one-time code, or approved by somebody who is signed in. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Credentials } from "../../../auth/credentials.ts";
import type { Subject } from "../../../auth/grant.ts";
import { callerOf, type Door } from "../../../door/door.ts";
import { parseInput } from "../../../door/input.ts";
import { FairleadError } from "../../../protocol/errors.ts";
import {
  APPROVE_PATH,
  ApproveRequest,
  DEVICE_PATH,
  DEVICE_TOKEN_PATH,
  LOGIN_PATH,
  LOGIN_SCHEME,
  type LoginReply,
  LoginRequest,
} from "../../../protocol/login.ts";
import type { Devices } from "../../people/devices.ts";
import type { ApiTokens } from "../../people/tokens.ts";
import type { Audit } from "../audit.ts";

export interface LoginParts {
  credentials: Credentials;
  devices: Devices;
  tokens: ApiTokens;
  door: Door;
  audit: Audit;
  /** Milliseconds that a token is good for. */
  lifetime: number;
}

export function addLogin(app: FastifyInstance, parts: LoginParts): void {
  const { credentials, devices, door, audit } = parts;
  app.post(LOGIN_PATH, { config: { access: "anyone" } }, async (request, reply) => {
    door.checkThrottle(request, reply, "code");
    const { name } = parseInput(LoginRequest, request.body);
    const issuer = credentials.codes.redeem(secretOf(request)) ?? (await door.refuse(request, reply, "code"));
    return await letIn(request, { name, by: issuer }, parts);
  });
  app.post(DEVICE_PATH, { config: { access: "anyone" } }, async (request) =>
    devices.ask(parseInput(LoginRequest, request.body).name),
  );
  app.post(DEVICE_TOKEN_PATH, { config: { access: "anyone" } }, async (request, reply: FastifyReply) => {
    const approved = devices.fetch(secretOf(request)) ?? (await door.refuse(request, reply, "token"));
    if (approved === "pending") return { pending: true };
    return await letIn(request, approved, parts);
  });
  app.post(APPROVE_PATH, { config: { access: "admin" } }, async (request) => {
    const { code } = parseInput(ApproveRequest, request.body);
    const name = devices.approve(code, callerOf(request).subject);
    if (name === undefined)
      throw new FairleadError("not-found", "No login waits with that code. Codes are good for ten minutes, once.");
    await audit(request, { action: "login approve", detail: name });
    return { name };
  });
}

/** Whoever was let in has what the one has who let him in. */
async function letIn(
  request: FastifyRequest,
  { name, by }: { name: string; by: Subject },
  { tokens, lifetime, audit }: LoginParts,
): Promise<LoginReply> {
  const { subject, rights, scopes, nodes } = by.grant;
  const wish = { name, rights: [...rights], scopes: [...scopes], by: subject, ...(nodes && { nodes: [...nodes] }) };
  const { token, view } = await tokens.createUnique({ ...wish, lifetime });
  await audit(request, { action: "login", detail: view.name });
  return { token, name: view.name, rights: view.rights, ...(view.expires && { expires: view.expires }) };
}

function secretOf({ headers: { authorization = "" } }: FastifyRequest): string {
  const [scheme, secret, ...more] = authorization.split(" ");
  return scheme === LOGIN_SCHEME && secret !== undefined && more.length === 0 ? secret : "";
}
