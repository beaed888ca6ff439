/** How people's programs come by a token: with a one-time code, or approved by somebody who is signed in. */

import type { FastifyRequest } from "fastify";
import { z } from "zod";
import type { Credentials } from "../../../auth/credentials.ts";
import type { Subject } from "../../../auth/grant.ts";
import type { App } from "../../../door/declaration.ts";
import { callerOf, type Door } from "../../../door/door.ts";
import { NoQuery } from "../../../door/input.ts";
import { FairleadError } from "../../../protocol/errors.ts";
import {
  APPROVE_PATH,
  ApproveRequest,
  ASKED_PATH,
  AskedReply,
  DEVICE_PATH,
  DEVICE_TOKEN_PATH,
  DeviceReply,
  LOGIN_PATH,
  LOGIN_SCHEME,
  LoginReply,
  LoginRequest,
  PendingReply,
  REFUSE_PATH,
  TokenName,
} from "../../../protocol/login.ts";
import type { Devices } from "../../people/devices.ts";
import type { ApiTokens } from "../../people/tokens.ts";
import type { Audit } from "../audit.ts";

const LOGIN = {
  summary: "A token for a one-time code (`Authorization: Login CODE`).",
  querystring: NoQuery,
  body: LoginRequest,
  problems: ["unauthenticated", "too-many"],
  response: { 200: LoginReply },
} as const;

const DEVICE = {
  summary: "Asks for a login that somebody approves elsewhere.",
  querystring: NoQuery,
  body: LoginRequest,
  problems: ["too-many"],
  response: { 200: DeviceReply },
} as const;

const DEVICE_TOKEN = {
  summary: "The token, once that login is approved (`Authorization: Login DEVICE`).",
  querystring: NoQuery,
  problems: ["unauthenticated", "too-many", "revoked"],
  response: { 200: z.union([LoginReply, PendingReply]) },
} as const;

const APPROVE = {
  summary: "Lets the login with this code in, with what you may do.",
  querystring: NoQuery,
  body: ApproveRequest,
  response: { 200: z.object({ name: TokenName }) },
} as const;

const ASKED = {
  summary: "Who waits with this code, and from where.",
  querystring: NoQuery,
  body: ApproveRequest,
  response: { 200: AskedReply },
} as const;

const REFUSE = {
  summary: "Whoever waits with this code is told that he is not let in.",
  querystring: NoQuery,
  body: ApproveRequest,
  response: { 200: z.object({ name: TokenName }) },
} as const;

export interface LoginParts {
  credentials: Credentials;
  devices: Devices;
  tokens: ApiTokens;
  door: Door;
  audit: Audit;
  /** Milliseconds that a token is good for. */
  lifetime: number;
}

export function addLogin(app: App, parts: LoginParts): void {
  const { credentials, devices, door } = parts;
  const config = { access: "anyone" } as const;
  app.post(LOGIN_PATH, { config, schema: LOGIN }, async (request, reply) => {
    door.checkThrottle(request, reply, "code");
    const { name } = request.body;
    const login = (by: Subject) => letIn(request, { name, by }, parts);
    return (await credentials.codes.spend(secretOf(request), login)) ?? (await door.refuse(request, reply, "code"));
  });
  app.post(DEVICE_PATH, { config, schema: DEVICE }, async (request) =>
    devices.ask(request.body.name, door.source(request)),
  );
  app.post(DEVICE_TOKEN_PATH, { config, schema: DEVICE_TOKEN }, async (request, reply) => {
    const fetched = await devices.fetch(secretOf(request), (approved) => letIn(request, approved, parts));
    if (fetched === "pending") return { pending: true };
    if (fetched === "refused") throw new FairleadError("revoked", "This login was refused.");
    return fetched ?? (await door.refuse(request, reply, "token"));
  });
  addDecisions(app, parts);
}

/** By somebody who is signed in, for the one who waits elsewhere. */
function addDecisions(app: App, { devices, audit }: LoginParts): void {
  const config = { access: "admin" } as const;
  app.post(ASKED_PATH, { config, schema: ASKED }, async (request) => devices.find(request.body.code));
  app.post(APPROVE_PATH, { config, schema: APPROVE }, async (request) => {
    const name = devices.approve(request.body.code, callerOf(request).subject);
    await audit(request, { action: "login approve", detail: name });
    return { name };
  });
  app.post(REFUSE_PATH, { config, schema: REFUSE }, async (request) => {
    const name = devices.refuse(request.body.code);
    await audit(request, { action: "login refuse", detail: name });
    return { name };
  });
}

/**
 * Whoever was let in has what the one has who let him in. His token is told this once, so he has it where its record waits
 * too, as with a page that signs in.
 */
async function letIn(
  request: FastifyRequest,
  { name, by }: { name: string; by: Subject },
  { tokens, lifetime, audit }: LoginParts,
): Promise<LoginReply> {
  const { subject, rights, scopes, nodes } = by.grant;
  const wish = { name, rights: [...rights], scopes: [...scopes], by: subject, ...(nodes && { nodes: [...nodes] }) };
  const { token, view } = await tokens.createUnique({ ...wish, lifetime });
  await audit(request, { action: "login", detail: view.name }).catch(rethrowUnlessRecordWaits);
  return { token, name: view.name, rights: view.rights, ...(view.expires && { expires: view.expires }) };
}

function rethrowUnlessRecordWaits(error: unknown): void {
  if (!(error instanceof FairleadError) || error.code !== "audit-unavailable") throw error;
}

function secretOf({ headers: { authorization = "" } }: Pick<FastifyRequest, "headers">): string {
  const [scheme, secret, ...more] = authorization.split(" ");
  return scheme === LOGIN_SCHEME && secret !== undefined && more.length === 0 ? secret : "";
}
