/** Long-lived tokens of programs and people at a terminal, each with its grant. */

import { FairleadError } from "../protocol/errors.ts";
import type { Grant } from "../protocol/rights.ts";
import type { Subject } from "./grant.ts";
import { digest, sameDigest } from "./secret.ts";

/** Shorter ones could be guessed, and are refused at the start. */
const MIN_TOKEN_LENGTH = 20;
/** A longer one is refused unread: nobody makes us hash megabytes. */
const MAX_TOKEN_LENGTH = 512;
/** What an Authorization header can carry (RFC 6750, `b64token`). */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/** A token as the configuration or the state directory holds it. */
export interface TokenGrant {
  token: string;
  grant: Grant;
}

interface Entry {
  digest: Buffer;
  subject: Subject;
  revocation: AbortController;
}

export class Tokens {
  readonly #entries: Entry[] = [];

  /** Throws for a token that is empty, too short, or no token: an agent never starts with a door that stands open. */
  constructor(tokens: readonly TokenGrant[]) {
    for (const { token, grant } of tokens) this.#add(token, grant);
  }

  /** Looks at every entry whatever it finds, so that the time taken tells nothing. */
  verify(token: string): Subject | undefined {
    if (token.length > MAX_TOKEN_LENGTH) return undefined;
    const wanted = digest(token);
    let found: Subject | undefined;
    for (const entry of this.#entries) if (sameDigest(entry.digest, wanted)) found = entry.subject;
    return found;
  }

  /** Withdraws every token of a subject and ends what it opened. Returns how many there were. */
  revoke(subject: string): number {
    const gone = this.#entries.filter((entry) => entry.subject.grant.subject === subject);
    for (const entry of gone) {
      this.#entries.splice(this.#entries.indexOf(entry), 1);
      entry.revocation.abort(new FairleadError("revoked", "The token was withdrawn; ask for a new one."));
    }
    return gone.length;
  }

  #add(token: string, grant: Grant): void {
    const who = `The token of "${grant.subject}"`;
    if (token.length < MIN_TOKEN_LENGTH)
      throw new Error(`${who} is shorter than ${MIN_TOKEN_LENGTH} characters; make one with: openssl rand -hex 32`);
    if (token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token))
      throw new Error(`${who} may only hold letters, digits and ._~+/- and at most ${MAX_TOKEN_LENGTH} of them.`);
    if (this.verify(token)) throw new Error(`${who} is also somebody else's; every token has one grant.`);
    const revocation = new AbortController();
    this.#entries.push({ digest: digest(token), subject: { grant, revoked: revocation.signal }, revocation });
  }
}
