/** How a browser gets in, and out: a one-time code becomes a cookie and a secret, and these become tickets for WebSockets. */

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { holds } from "../../auth/grant.ts";
import type { Credentials } from "../../auth/credentials.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { clearCookie, setCookie } from "../cookie.ts";
import { callerOf, type Door } from "../door.ts";
import { parseInput } from "../input.ts";

const SignIn = z.strictObject({ code: z.string().min(1).max(128) });

export interface SignInParts {
  /** The program's own name, for `whoami`. */
  node: string;
  credentials: Credentials;
  door: Door;
  /** Whose a shell on the host is, where there is one. */
  hostShellUser?: string | undefined;
}

export function addSignIn(app: FastifyInstance, { node, credentials, door, hostShellUser }: SignInParts): void {
  app.post("/api/v1/sign-in", { config: { access: "anyone", direct: true } }, async (request, reply) => {
    door.checkThrottle(request, reply, "code");
    const { code } = parseInput(SignIn, request.body);
    const issuer = credentials.codes.redeem(code) ?? (await door.refuse(request, reply, "code"));
    const { cookie, secret, page } = credentials.pages.open(issuer);
    void reply.header("set-cookie", setCookie(cookie, request.authority));
    return { secret, subject: page.subject.grant.subject };
  });

  app.post("/api/v1/sign-out", { config: { access: "signed-in", direct: true } }, async (request, reply) => {
    const { page } = callerOf(request);
    if (!page) throw new FairleadError("bad-request", "A token is not signed out; take it out of the configuration.");
    credentials.pages.close(page.id);
    return await reply.header("set-cookie", clearCookie(request.authority)).code(204).send();
  });

  app.post("/api/v1/tickets", { config: { access: "signed-in", direct: true } }, async (request) => {
    const { subject, page } = callerOf(request);
    const { origin } = request.headers;
    return { ticket: credentials.tickets.issue({ subject, origin, ...(page && { page: page.id }) }) };
  });

  // Whoever has a code has the issuer's grant, so only the one who may do everything hands them out.
  app.post("/api/v1/codes", { config: { access: "admin", direct: true } }, async (request) => {
    const { code, expires } = credentials.codes.issue(callerOf(request).subject);
    return { code, expires };
  });

  app.get("/api/v1/whoami", { config: { access: "signed-in" } }, async (request) => {
    const { grant } = callerOf(request).subject;
    const { subject, rights, scopes } = grant;
    const shell = hostShellUser !== undefined && holds(grant, "host-shell") && { hostShell: { user: hostShellUser } };
    return { node, subject, rights, scopes, ...shell };
  });
}
