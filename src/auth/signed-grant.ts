/** A server's word for one request to one agent: who asks, what he may do, and exactly what he asked for; signed, short-lived, good once. */

import { createHash } from "node:crypto";
import { GrantClaims } from "../protocol/relayed.ts";
import type { Grant } from "../protocol/rights.ts";
import { signClaims } from "./jws.ts";
import type { SigningKey } from "./keys.ts";
import { commonClaims, grantOf, type Trusted, type WordKind, WordReader } from "./server-word.ts";

const GRANT: WordKind<GrantClaims> = {
  kind: "fairlead-grant",
  claims: GrantClaims,
  words: "grant for this session",
};

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
    const common = commonClaims({ agent, grant }, this.#now());
    const claims: GrantClaims = { ...common, sid: session, header, body: hashOf(body) };
    return signClaims(GRANT.kind, claims, this.#key);
  }
}

/** A grant that was found good. */
export interface VerifiedGrant {
  grant: Grant;
  session: string;
  header: Record<string, unknown>;
}

export class GrantVerifier {
  readonly #words: WordReader<GrantClaims>;

  /** `trusted` is asked for each grant: a host may register anew. `now`: milliseconds since 1970. */
  constructor(trusted: () => Trusted | undefined, now: () => number = Date.now) {
    this.#words = new WordReader(GRANT, { trusted, now });
  }

  /** Uses the grant up. Throws `bad-grant` unless it is the server's, for this agent, for this body, of now and unused. */
  verify(token: string, body: Uint8Array): VerifiedGrant {
    const claims = this.#words.read(token);
    if (claims.body !== hashOf(body)) throw this.#words.refused("is for another request");
    this.#words.useUp(claims);
    return { grant: grantOf(claims), session: claims.sid, header: claims.header };
  }
}

function hashOf(body: Uint8Array): string {
  return createHash("sha256").update(body).digest("base64url");
}
