/** Long-lived tokens of programs and people at a terminal, each with its grant. */

import { FairleadError } from "../protocol/errors.ts";
import type { Grant } from "../protocol/rights.ts";
import type { Subject } from "./grant.ts";
import { digest, sameDigest } from "./secret.ts";

/** Shorter ones could be guessed, and are refused at the start. */
export const MIN_TOKEN_LENGTH = 20;
/** A longer one is refused unread: nobody makes us hash megabytes. */
export const MAX_TOKEN_LENGTH = 512;
/** What an Authorization header can carry (RFC 6750, `b64token`). */
export const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const SHA256 = /^[0-9a-f]{64}$/i;

/** A token, or only its SHA-256 (hexadecimal) as the configuration may hold it, and what its holder may do. */
export type TokenGrant = { grant: Grant } & ({ token: string } | { sha256: string });

interface Entry {
  digest: Buffer;
  subject: Subject;
  revocation: AbortController;
}

export class Tokens {
  readonly #entries: Entry[] = [];
  readonly #listeners: ((subject: string) => void)[] = [];

  /** Throws for a token that is empty, too short, or no token: an agent never starts with a door that stands open. */
  constructor(tokens: readonly TokenGrant[]) {
    for (const entry of tokens) this.add(entry);
  }

  /** One more; throws for the same reasons. */
  add(entry: TokenGrant): void {
    this.#add(digestOf(entry), entry.grant);
  }

  /** Looks at every entry whatever it finds, so that the time taken tells nothing. */
  verify(token: string): Subject | undefined {
    if (token.length > MAX_TOKEN_LENGTH) return undefined;
    const wanted = digest(token);
    let found: Subject | undefined;
    for (const entry of this.#entries) if (sameDigest(entry.digest, wanted)) found = entry.subject;
    return found;
  }

  /** Hears each subject whose tokens are withdrawn. */
  listen(listener: (subject: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Whether there is a token of this subject. */
  knows(subject: string): boolean {
    return this.#entries.some((entry) => entry.subject.grant.subject === subject);
  }

  /** Withdraws every token of a subject and ends what it opened. Returns how many there were. */
  revoke(subject: string): number {
    const gone = this.#entries.filter((entry) => entry.subject.grant.subject === subject);
    for (const entry of gone) {
      this.#entries.splice(this.#entries.indexOf(entry), 1);
      entry.revocation.abort(new FairleadError("revoked", "The token was withdrawn; ask for a new one."));
    }
    if (gone.length > 0) for (const listener of this.#listeners) listener(subject);
    return gone.length;
  }

  /** Withdraws every token of some subjects and adds others instead. Throws as `add` does, and then nothing has changed. */
  replace(subjects: readonly string[], added: readonly TokenGrant[]): void {
    const staying = this.#entries.filter(({ subject }) => !subjects.includes(subject.grant.subject));
    const kept = added.map((entry) => ({ digest: digestOf(entry), grant: entry.grant }));
    for (const entry of kept) refuseTaken(staying, entry);
    for (const subject of subjects) this.revoke(subject);
    for (const { digest: its, grant } of kept) this.#add(its, grant);
  }

  #add(kept: Buffer, grant: Grant): void {
    refuseTaken(this.#entries, { digest: kept, grant });
    const revocation = new AbortController();
    this.#entries.push({ digest: kept, subject: { grant, revoked: revocation.signal }, revocation });
  }
}

/** Throws for a token that somebody has already. */
function refuseTaken(entries: readonly Entry[], wanted: { digest: Buffer; grant: Grant }): void {
  if (entries.some((entry) => sameDigest(entry.digest, wanted.digest)))
    throw new Error(`The token of "${wanted.grant.subject}" is also somebody else's; every token has one grant.`);
}

function digestOf(entry: TokenGrant): Buffer {
  const who = `The token of "${entry.grant.subject}"`;
  if ("sha256" in entry) {
    if (SHA256.test(entry.sha256)) return Buffer.from(entry.sha256, "hex");
    throw new Error(`${who} is not given by 64 hexadecimal digits; make them with: printf %s TOKEN | sha256sum`);
  }
  const { token } = entry;
  if (token.length < MIN_TOKEN_LENGTH)
    throw new Error(`${who} is shorter than ${MIN_TOKEN_LENGTH} characters; make one with: openssl rand -hex 32`);
  if (token.length > MAX_TOKEN_LENGTH || !TOKEN.test(token))
    throw new Error(`${who} may only hold letters, digits and ._~+/- and at most ${MAX_TOKEN_LENGTH} of them.`);
  return digest(token);
}
