/** A server's word for one request to one agent: who asks, what he may do, and exactly what he asked for; signed, short-lived, good once. */

import { createHash, randomBytes } from "node:crypto";
import { FairleadError } from "../protocol/errors.ts";
import { GrantClaims } from "../protocol/relayed.ts";
import { type Grant, Right } from "../protocol/rights.ts";
import { signClaims, signedClaims } from "./jws.ts";
import type { SigningKey } from "./keys.ts";
import { UsedOnce } from "./used-once.ts";

/** From the signature to the end, in seconds. */
const LIFE_S = 60;
/** What clocks may differ by, in seconds. */
const SKEW_S = 60;
const ID_BYTES = 16;
const KIND = "fairlead-grant";

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
    return signClaims(KIND, claims, this.#key);
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
  readonly #used: UsedOnce;

  /** `trusted` is asked for each grant: a host may register anew. `now`: milliseconds since 1970. */
  constructor(trusted: () => Trusted | undefined, now: () => number = Date.now) {
    this.#trusted = trusted;
    this.#now = now;
    this.#used = new UsedOnce(now);
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
    if (!this.#used.use(jti, exp + SKEW_S)) throw refused("was used before");
    return { grant: { subject: sub, rights: rights.filter(isRight), scopes }, session: sid, header };
  }
}

/** Whom an agent trusts that has not registered: no signature is by a key that is none. */
export const NOBODY: Trusted = { agent: "", key: "" };

function claimsOf(token: string, key: string): GrantClaims {
  try {
    const claims = signedClaims(KIND, token, key);
    if (claims !== undefined) return GrantClaims.parse(claims);
  } catch (cause) {
    throw refused("is of a kind that this agent does not know", cause);
  }
  throw refused("is not signed by the server that this agent belongs to");
}

function refused(why: string, cause?: unknown): FairleadError {
  return new FairleadError("bad-grant", `The server's grant for this session ${why}.`, { cause });
}

export function isRight(text: string): text is Right {
  return Right.safeParse(text).success;
}

function hashOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("base64url");
}
