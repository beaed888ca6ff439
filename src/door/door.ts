/** The one choke point: every request, upgrade or not, known path or not, passes `enter` before anything else looks at it. */

import { setTimeout as pause } from "node:timers/promises";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Refusal, Refusals } from "../audit/refusals.ts";
import type { Credentials } from "../auth/credentials.ts";
import { holds } from "../auth/grant.ts";
import { FairleadError } from "../protocol/errors.ts";
import { type Networks, type Source, sourceOf } from "./address.ts";
import type { ConnectionBudget } from "./budget.ts";
import type { Access } from "./declaration.ts";
import { type HostCheck, type HostIdentity, type Identity, identify, vouchedFor } from "./identity.ts";
import { mayBeHeard } from "./listener.ts";
import type { Names } from "./names.ts";
import { type PassCheck, shownPass } from "./pass.ts";
import { absent } from "./problems.ts";

/** What was wrong: something long that a program keeps, or a code that a person typed. */
export type Kind = "token" | "code";

const WRONG: Record<Kind, string> = {
  token: "That token, ticket or sign-in is not, or no longer, valid.",
  code: "That code is wrong, used or expired; ask for a new one where it came from.",
};

/** In the audit. */
const KINDS: Record<Kind, string> = { token: "proof", code: "sign-in" };

export interface DoorParts {
  names: Names;
  proxies: Networks;
  credentials: Credentials;
  budget: ConnectionBudget;
  refusals: Refusals;
  /** Aborted once the program takes no new work. */
  draining: AbortSignal;
  /** Absent where no agents call. */
  hosts?: HostCheck | undefined;
  /** Absent where no passes are taken. */
  passes?: PassCheck | undefined;
}

export class Door {
  readonly #parts: DoorParts;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /** Lets the request in or throws; a fastify `onRequest` hook. Unknown paths stop at the host and origin checks: they have nothing to give. */
  async enter(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // Whoever asked for another protocol may go on in it: nothing more is read from that connection.
    if (request.headers.upgrade !== undefined) void reply.header("connection", "close");
    this.#checkTarget(request);
    this.#checkTransport(request);
    request.authority = this.#parts.names.checkHost(request.raw);
    const vouched = vouchedFor(request.raw) !== undefined;
    // The server has looked at the page, and its page is none of ours.
    if (!vouched) this.#parts.names.checkOrigin(request.raw, { host: request.authority, upgrade: request.ws });
    const { access, socket, speaks, direct = false, passes = false } = request.routeOptions.config;
    if (
      request.is404 ||
      access === undefined ||
      (socket !== "either" && request.ws !== (speaks !== undefined)) ||
      (vouched && direct)
    )
      throw absent();
    if (access === "anyone") return;
    if (this.#parts.draining.aborted) throw this.#parts.draining.reason;
    if (access === "host") return this.#enterHost(request);
    const shown = passes ? shownPass(request.raw) : undefined;
    const identity = shown === undefined ? await this.#recognise(request, reply) : this.#admit(request, shown);
    if (!identity)
      throw new FairleadError("unauthenticated", "Sign in first, or send a token; `ctl` finds the local one.");
    if (!mayUse(identity, access)) throw this.#withheld(request, identity.subject.grant.subject);
    request.identity = identity;
  }

  /** Who sent it, for a route that is for anyone but tells some more; a wrong credential is nobody, and counts. */
  async recognise(request: FastifyRequest, reply: FastifyReply): Promise<Identity | undefined> {
    return this.#recognise(request, reply).catch(() => undefined);
  }

  /**
   * Counts a wrong credential and throws, later each time. Long secrets cannot be guessed, so they are compared before
   * this: the failures of one never keep out another who shares his address.
   */
  async refuse(request: FastifyRequest, reply: FastifyReply, kind: Kind): Promise<never> {
    this.#note(request, { kind: KINDS[kind], outcome: "unauthenticated" });
    const verdict = this.#parts.credentials.throttle.failed(this.#counter(request, kind));
    if ("retryAfterMs" in verdict) throw tooMany(reply, verdict.retryAfterMs);
    await pause(verdict.delayMs);
    throw new FairleadError("unauthenticated", WRONG[kind]);
  }

  /** Throws `too-many` for a source of too many wrong ones: before a code is compared, which is short enough to be guessed. */
  checkThrottle(request: FastifyRequest, reply: FastifyReply, kind: Kind): void {
    const blocked = this.#parts.credentials.throttle.blockedFor(this.#counter(request, kind));
    if (blocked > 0) throw tooMany(reply, blocked);
  }

  /** Somebody's wrong tokens do not stop his neighbour from signing in. */
  #counter(request: FastifyRequest, kind: Kind): string {
    return `${kind} ${this.source(request).name}`;
  }

  #withheld(request: FastifyRequest, subject: string): FairleadError {
    const { method, routeOptions } = request;
    this.#note(request, { subject, kind: "request", reference: `${method} ${routeOptions.url}`, outcome: "not-found" });
    return absent();
  }

  #note(request: FastifyRequest, refusal: Omit<Refusal, "remote" | "request">): void {
    this.#parts.refusals.note({
      ...refusal,
      request: request.id,
      remote: `${this.source(request).address} ${request.ws ? "websocket" : "http"}`,
    });
  }

  source(request: FastifyRequest): Source {
    const forwarded = request.headers["x-forwarded-for"];
    return sourceOf(request.raw.socket.remoteAddress, [forwarded].flat().join(","), this.#parts.proxies);
  }

  async #recognise(request: FastifyRequest, reply: FastifyReply): Promise<Identity | undefined> {
    const finding = identify(request.raw, { host: request.authority, upgrade: request.ws }, this.#parts.credentials);
    if (finding === "none") return undefined;
    if (finding === "wrong") return this.refuse(request, reply, "token");
    this.#parts.budget.authenticated(request.raw.socket);
    return finding;
  }

  #admit(request: FastifyRequest, shown: string): Identity {
    const { passes, budget } = this.#parts;
    try {
      if (!passes) throw new FairleadError("bad-grant", "This agent is reached through its server only.");
      const subject = passes(request.raw, shown);
      budget.authenticated(request.raw.socket);
      return { subject, direct: true };
    } catch (error) {
      this.#note(request, { kind: "pass", outcome: error instanceof FairleadError ? error.code : "internal" });
      throw error;
    }
  }

  /** A request for another server (`GET http://...`), or for none (`OPTIONS *`), is not for us. */
  #checkTarget(request: FastifyRequest): void {
    if (!request.raw.url?.startsWith("/"))
      throw new FairleadError("bad-request", "The request names another server; this one is no proxy.");
  }

  async #enterHost(request: FastifyRequest): Promise<void> {
    const { hosts, budget } = this.#parts;
    if (!hosts) throw absent();
    request.signer = await hosts(request.raw);
    budget.authenticated(request.raw.socket);
  }

  #checkTransport({ raw }: FastifyRequest): void {
    if (mayBeHeard(raw.socket, this.#parts.proxies)) return;
    const words = "Without TLS this server answers its own machine and its trusted proxies only.";
    throw new FairleadError("wrong-host", words);
  }
}

/** The caller behind a route that is not for anyone. */
export function callerOf(request: FastifyRequest): Identity {
  if (!request.identity) throw new Error(`${request.routeOptions.url} was reached without an identity`);
  return request.identity;
}

/** The agent behind a route that is for one. */
export function signerOf(request: FastifyRequest): HostIdentity {
  if (!request.signer) throw new Error(`${request.routeOptions.url} was reached without a host`);
  return request.signer;
}

function mayUse({ subject }: Identity, access: Exclude<Access, "anyone" | "host">): boolean {
  return access === "signed-in" || holds(subject.grant, access);
}

function tooMany(reply: FastifyReply, retryAfterMs: number): FairleadError {
  const seconds = Math.ceil(retryAfterMs / 1_000);
  void reply.header("retry-after", seconds);
  return new FairleadError("too-many", `Too many wrong credentials came from your address; try again in ${seconds} s.`);
}
