/** Passes: a server's word that the holder of a key may come to one agent directly; signed, short-lived, good once, over one connection. */

import { randomBytes } from "node:crypto";
import { FairleadError } from "../protocol/errors.ts";
import { PassClaims, passProof } from "../protocol/pass.ts";
import type { Grant } from "../protocol/rights.ts";
import { signClaims, signedClaims } from "./jws.ts";
import { isSignedBy, type SigningKey } from "./keys.ts";
import { isRight, NOBODY, type Trusted } from "./signed-grant.ts";
import { UsedOnce } from "./used-once.ts";

/** In which it must be used, in seconds. */
const LIFE_S = 60;
/** What clocks may differ by, in seconds. */
const SKEW_S = 60;
/** For so long, in milliseconds, a pass may be good on an agent after it was signed. */
export const PASS_MS = (LIFE_S + 2 * SKEW_S) * 1_000;
const ID_BYTES = 16;
const KIND = "fairlead-pass";

/** For whom, and where. */
export interface PassWish {
  /** The id of the node. */
  agent: string;
  /** Of the agent's certificate. */
  pin: string;
  grant: Grant;
  /** The client's public key. */
  key: string;
  /** Seconds. */
  offline: number;
}

export class PassSigner {
  readonly #key: Pick<SigningKey, "sign">;
  readonly #now: () => number;

  /** `now`: milliseconds since 1970. */
  constructor(key: Pick<SigningKey, "sign">, now: () => number = Date.now) {
    this.#key = key;
    this.#now = now;
  }

  sign({ agent, pin, grant, key, offline }: PassWish): string {
    const iat = Math.floor(this.#now() / 1_000);
    const claims: PassClaims = {
      aud: agent,
      sub: grant.subject,
      jti: randomBytes(ID_BYTES).toString("base64url"),
      iat,
      exp: iat + LIFE_S,
      rights: [...grant.rights],
      scopes: [...grant.scopes],
      key,
      pin,
      offline,
    };
    return signClaims(KIND, claims, this.#key);
  }
}

/** A pass that was found good. */
interface VerifiedPass {
  grant: Grant;
  /** Milliseconds. */
  offline: number;
}

interface PassVerifierParts {
  /** Asked for each pass: a host may register anew. */
  trusted: () => Trusted | undefined;
  /** Of this agent's certificate, as it is now. */
  pin: () => string | undefined;
  /** Milliseconds since 1970. */
  now?: () => number;
}

export class PassVerifier {
  readonly #parts: PassVerifierParts;
  readonly #now: () => number;
  readonly #used: UsedOnce;

  constructor(parts: PassVerifierParts) {
    this.#parts = parts;
    this.#now = parts.now ?? Date.now;
    this.#used = new UsedOnce(this.#now);
  }

  /**
   * Uses the pass up. `shown` is the pass and its proof with a dot between, `binding` that of the connection on which it was
   * shown. Throws `bad-grant` unless it is the server's, for this agent, of now, unused, and shown by the holder of its key on
   * this very connection.
   */
  verify(shown: string, binding: string): VerifiedPass {
    const end = shown.lastIndexOf(".");
    const [pass, proof] = [shown.slice(0, end), shown.slice(end + 1)];
    const { agent, key: server } = this.#parts.trusted() ?? NOBODY;
    const { aud, sub, jti, iat, exp, rights, scopes, key, pin, offline } = claimsOf(pass, server);
    const now = this.#now() / 1_000;
    if (aud !== agent) throw refused("is for another agent");
    if (pin !== this.#parts.pin()) throw refused("is for another certificate");
    if (exp - iat > LIFE_S) throw refused("is good for too long");
    if (iat > now + SKEW_S) throw refused("is from the future; compare the clocks of server and agent");
    if (exp < now - SKEW_S) throw refused("has expired; compare the clocks of server and agent");
    // Before it is used up: whoever has only seen it cannot take it from its holder.
    if (!isSignedBy(key, passProof(pass, binding), proof)) throw refused("was not shown by the holder of its key");
    if (!this.#used.use(jti, exp + SKEW_S)) throw refused("was used before");
    return { grant: { subject: sub, rights: rights.filter(isRight), scopes }, offline: offline * 1_000 };
  }
}

function claimsOf(pass: string, server: string): PassClaims {
  try {
    const claims = signedClaims(KIND, pass, server);
    if (claims !== undefined) return PassClaims.parse(claims);
  } catch (cause) {
    throw refused("is of a kind that this agent does not know", cause);
  }
  throw refused("is not signed by the server that this agent belongs to");
}

function refused(why: string, cause?: unknown): FairleadError {
  return new FairleadError("bad-grant", `The server's pass for this connection ${why}.`, { cause });
}
