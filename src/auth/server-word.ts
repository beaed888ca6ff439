/** A server's word to one agent, a grant or a pass: signed by that server, for that agent alone, of now, and good once. */

import { randomBytes } from "node:crypto";
import { FairleadError } from "../protocol/errors.ts";
import { type Grant, Right, type Scope } from "../protocol/rights.ts";
import { signedClaims } from "./jws.ts";
import { UsedOnce } from "./used-once.ts";

/** From the signature to the end, in seconds. */
const LIFE_S = 60;
/** What clocks may differ by, in seconds. */
const SKEW_S = 60;
/** For so long, in milliseconds, a word may be good on an agent after it was signed. */
export const WORD_MS = (LIFE_S + 2 * SKEW_S) * 1_000;
const ID_BYTES = 16;

/** What every one of them says. */
interface CommonClaims {
  aud: string;
  sub: string;
  jti: string;
  iat: number;
  exp: number;
  rights: string[];
  scopes: Scope[];
}

/** To which agent, by the id of its node, and of whom. `now`: milliseconds since 1970. */
export function commonClaims({ agent, grant }: { agent: string; grant: Grant }, now: number): CommonClaims {
  const iat = Math.floor(now / 1_000);
  return {
    aud: agent,
    sub: grant.subject,
    jti: randomBytes(ID_BYTES).toString("base64url"),
    iat,
    exp: iat + LIFE_S,
    rights: [...grant.rights],
    scopes: [...grant.scopes],
  };
}

/** Whose word it gives. */
export function grantOf({ sub, rights, scopes }: CommonClaims): Grant {
  return { subject: sub, rights: rights.filter(isRight), scopes };
}

export interface WordKind<Claims extends CommonClaims> {
  /** Signed with it: what was said as one kind is never taken for another. */
  kind: string;
  claims: { parse(value: unknown): Claims };
  /** What an agent calls one that it refuses. */
  words: string;
}

/** What an agent was told when it registered. */
export interface Trusted {
  /** The id of its node. */
  agent: string;
  /** The server's public key: 32 bytes in base64url. */
  key: string;
}

/** Whom an agent trusts that has not registered: no signature is by a key that is none. */
const NOBODY: Trusted = { agent: "", key: "" };

export interface WordReaderParts {
  /** Asked for each word: a host may register anew. */
  trusted: () => Trusted | undefined;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export class WordReader<Claims extends CommonClaims> {
  readonly #kind: WordKind<Claims>;
  readonly #trusted: () => Trusted | undefined;
  readonly #now: () => number;
  readonly #used: UsedOnce;

  constructor(kind: WordKind<Claims>, { trusted, now = Date.now }: WordReaderParts) {
    this.#kind = kind;
    this.#trusted = trusted;
    this.#now = now;
    this.#used = new UsedOnce(now);
  }

  /** Throws `bad-grant` unless it is the server's, for this agent, and of now. */
  read(token: string): Claims {
    const { agent, key } = this.#trusted() ?? NOBODY;
    const claims = this.#claimsOf(token, key);
    const { aud, iat, exp } = claims;
    const now = this.#now() / 1_000;
    if (aud !== agent) throw this.refused("is for another agent");
    if (exp - iat > LIFE_S) throw this.refused("is good for too long");
    if (iat > now + SKEW_S) throw this.refused("is from the future; compare the clocks of server and agent");
    if (exp < now - SKEW_S) throw this.refused("has expired; compare the clocks of server and agent");
    return claims;
  }

  /** Once everything else about it is right: throws `bad-grant` when it was used before. */
  useUp({ jti, exp }: Claims): void {
    if (!this.#used.use(jti, exp + SKEW_S)) throw this.refused("was used before");
  }

  refused(why: string, cause?: unknown): FairleadError {
    return new FairleadError("bad-grant", `The server's ${this.#kind.words} ${why}.`, { cause });
  }

  #claimsOf(token: string, key: string): Claims {
    const { kind, claims } = this.#kind;
    try {
      const signed = signedClaims(kind, token, key);
      if (signed !== undefined) return claims.parse(signed);
    } catch (cause) {
      throw this.refused("is of a kind that this agent does not know", cause);
    }
    throw this.refused("is not signed by the server that this agent belongs to");
  }
}

function isRight(text: string): text is Right {
  return Right.safeParse(text).success;
}
