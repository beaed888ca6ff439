/** A server's word for one request to one agent: who asks, what he may do, and exactly what he asked for; signed, short-lived, good once. */

import { createHash, randomBytes } from "node:crypto";
import { FairleadError } from "../protocol/errors.ts";
import { GrantClaims } from "../protocol/relayed.ts";
import { type Grant, Right } from "../protocol/rights.ts";
import { isSignedBy, type SigningKey } from "./keys.ts";

/** From the signature to the end, in seconds. */
const LIFE_S = 60;
/** What clocks may differ by, in seconds. */
const SKEW_S = 60;
/** Longest token that is looked at, in characters. */
const MAX_TOKEN = 65_536;
/** Ids remembered for as long as their grants would be good; beyond, nothing more is let in for a moment. */
const MAX_USED = 100_000;
const ID_BYTES = 16;

/** A JWS in its compact form (RFC 7515) with this header and no other: there is no algorithm to choose. */
const HEADER = Buffer.from(JSON.stringify({ alg: "EdDSA", typ: "fairlead-grant" })).toString("base64url");

/** What is asked of an agent, and for whom. */
export interface GrantRequest {
  /** The id of the node. */
  agent: string;
  grant: Grant;
  session: string;
  header: Record<string, unknown>;
  body: Uint8Array;
}

export class GrantSigner {
  readonly #key: Pick<SigningKey, "sign">;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(key: Pick<SigningKey, "sign">, now: () => number = Date.now) {
    this.#key = key;
    this.#now = now;
  }

  sign({ agent, grant, session, header, body }: GrantRequest): string {
    const iat = Math.floor(this.#now() / 1_000);
    const claims: GrantClaims = {
      aud: agent,
      sub: grant.subject,
      jti: randomBytes(ID_BYTES).toString("base64url"),
      iat,
      exp: iat + LIFE_S,
      sid: session,
      rights: [...grant.rights],
      scopes: [...grant.scopes],
      header,
      body: hashOf(body),
    };
    const signed = `${HEADER}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}`;
    return `${signed}.${this.#key.sign(signed)}`;
  }
}

/** A grant that was found good. */
export interface VerifiedGrant {
  grant: Grant;
  session: string;
  header: Record<string, unknown>;
}

/** What an agent was told when it registered. */
export interface Trusted {
  /** The id of its node. */
  agent: string;
  /** The server's public key: 32 bytes in base64url. */
  key: string;
}

export class GrantVerifier {
  readonly #trusted: () => Trusted | undefined;
  readonly #now: () => number;
  /** By id, oldest first: when it may be forgotten, in seconds since 1970. */
  readonly #used = new Map<string, number>();

  /** `trusted` is asked for each grant: a host may register anew. `now`: milliseconds since 1970. */
  constructor(trusted: () => Trusted | undefined, now: () => number = Date.now) {
    this.#trusted = trusted;
    this.#now = now;
  }

  /** Uses the grant up. Throws `bad-grant` unless it is the server's, for this agent, for this body, of now and unused. */
  verify(token: string, body: Uint8Array): VerifiedGrant {
    const { agent, key } = this.#trusted() ?? NOBODY;
    const { aud, sub, jti, iat, exp, sid, rights, scopes, header, body: hash } = claimsOf(token, key);
    const now = this.#now() / 1_000;
    if (aud !== agent) throw refused("is for another agent");
    if (exp - iat > LIFE_S) throw refused("is good for too long");
    if (iat > now + SKEW_S) throw refused("is from the future; compare the clocks of server and agent");
    if (exp < now - SKEW_S) throw refused("has expired; compare the clocks of server and agent");
    if (hash !== hashOf(body)) throw refused("is for another request");
    this.#use(jti, exp + SKEW_S);
    return { grant: { subject: sub, rights: rights.filter(isRight), scopes }, session: sid, header };
  }

  #use(id: string, until: number): void {
    const now = this.#now() / 1_000;
    for (const [old, end] of this.#used) {
      if (end >= now) break;
      this.#used.delete(old);
    }
    if (this.#used.has(id)) throw refused("was used before");
    if (this.#used.size >= MAX_USED)
      throw new FairleadError("too-many", "Too many sessions were opened through the server in the last two minutes.");
    this.#used.set(id, until);
  }
}

/** Whom an agent trusts that has not registered: no signature is by a key that is none. */
const NOBODY: Trusted = { agent: "", key: "" };

function claimsOf(token: string, key: string): GrantClaims {
  const [header, payload = "", signature = "", ...more] = token.length > MAX_TOKEN ? [] : token.split(".");
  if (header !== HEADER || more.length > 0 || !isSignedBy(key, `${header}.${payload}`, signature))
    throw refused("is not signed by the server that this agent belongs to");
  try {
    return GrantClaims.parse(JSON.parse(Buffer.from(payload, "base64url").toString()));
  } catch (cause) {
    throw refused("is of a kind that this agent does not know", cause);
  }
}

function refused(why: string, cause?: unknown): FairleadError {
  return new FairleadError("bad-grant", `The server's grant for this session ${why}.`, { cause });
}

function isRight(text: string): text is Right {
  return Right.safeParse(text).success;
}

function hashOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("base64url");
}
