/** How a browser gets in, and out: a one-time code becomes a cookie and a secret, and these become tickets for WebSockets. */

import { z } from "zod";
import { holds } from "../../auth/grant.ts";
import type { Audit } from "../../audit/audit-log.ts";
import type { Credentials } from "../../auth/credentials.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { Right, Scope } from "../../protocol/rights.ts";
import { clearCookie, setCookie } from "../cookie.ts";
import type { App } from "../declaration.ts";
import { callerOf, type Door } from "../door.ts";
import { NoQuery } from "../input.ts";

const SIGN_IN = {
  summary: "A one-time code becomes a cookie and a secret.",
  querystring: NoQuery,
  body: z.strictObject({ code: z.string().min(1).max(128) }),
  problems: ["unauthenticated", "too-many"],
  response: { 200: z.object({ secret: z.string(), subject: z.string() }) },
} as const;

const SIGN_OUT = {
  summary: "The page's cookie and secret are worth nothing any more.",
  querystring: NoQuery,
  response: { 204: { description: "Signed out." } },
} as const;

const TICKET = {
  summary: "Lets this page, or this token, open one WebSocket within 30 s.",
  querystring: NoQuery,
  response: { 200: z.object({ ticket: z.string() }) },
} as const;

const CODE = {
  summary: "A one-time code that signs a page in.",
  querystring: NoQuery,
  response: { 200: z.object({ code: z.string(), expires: z.int().describe("Milliseconds since 1970.") }) },
} as const;

const WHOAMI = {
  summary: "Who the caller is, and what he may do.",
  querystring: NoQuery,
  response: {
    200: z.object({
      node: z.string(),
      subject: z.string(),
      rights: z.array(Right),
      scopes: z.array(Scope),
      nodes: z.array(z.string()).optional().describe("The hosts of a fleet that the grant is limited to."),
      hostShell: z.object({ user: z.string() }).optional(),
    }),
  },
} as const;

export interface SignInParts {
  /** The program's own name, for `whoami`. */
  node: string;
  credentials: Credentials;
  door: Door;
  /** Hears who came and went, where that is written down. */
  audit?: Audit;
  /** Whose a shell on the host is, where there is one. */
  hostShellUser?: string | undefined;
}

export function addSignIn(app: App, { node, credentials, door, hostShellUser, audit }: SignInParts): void {
  app.post(
    "/api/v1/sign-in",
    { config: { access: "anyone", direct: true }, schema: SIGN_IN },
    async (request, reply) => {
      door.checkThrottle(request, reply, "code");
      const { code } = request.body;
      const issuer = credentials.codes.redeem(code) ?? (await door.refuse(request, reply, "code"));
      const { cookie, secret, page } = credentials.pages.open(issuer);
      const { subject } = page.subject.grant;
      const remote = `${door.source(request).address} http`;
      void audit?.({ event: "sign-in", subject, issuer: issuer.grant.subject, remote, request: request.id });
      void reply.header("set-cookie", setCookie(cookie, request.authority));
      return { secret, subject };
    },
  );

  app.post(
    "/api/v1/sign-out",
    { config: { access: "signed-in", direct: true }, schema: SIGN_OUT },
    async (request, reply) => {
      const { page } = callerOf(request);
      if (!page) throw new FairleadError("bad-request", "A token is not signed out; take it out of the configuration.");
      credentials.pages.close(page.id);
      const { subject } = page.subject.grant;
      const remote = `${door.source(request).address} http`;
      void audit?.({ event: "sign-out", subject, remote, request: request.id });
      return await reply.header("set-cookie", clearCookie(request.authority)).code(204).send();
    },
  );

  app.post("/api/v1/tickets", { config: { access: "signed-in", direct: true }, schema: TICKET }, async (request) => {
    const { subject, page } = callerOf(request);
    const { origin } = request.headers;
    return { ticket: credentials.tickets.issue({ subject, origin, ...(page && { page: page.id }) }) };
  });

  // Whoever has a code has the issuer's grant, so only the one who may do everything hands them out.
  app.post("/api/v1/codes", { config: { access: "admin", direct: true }, schema: CODE }, async (request) => {
    const { code, expires } = credentials.codes.issue(callerOf(request).subject);
    return { code, expires };
  });

  app.get("/api/v1/whoami", { config: { access: "signed-in" }, schema: WHOAMI }, async (request) => {
    const { grant } = callerOf(request).subject;
    const { subject, rights, scopes, nodes } = grant;
    const shell = hostShellUser !== undefined && holds(grant, "host-shell") && { hostShell: { user: hostShellUser } };
    return { node, subject, rights, scopes, ...(nodes && { nodes }), ...shell };
  });
}
