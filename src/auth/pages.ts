/** Signed-in pages. A cookie is sent to every port of its host, so it never counts without the secret that only the page's origin has. */

import { randomBytes } from "node:crypto";
import { FairleadError } from "../protocol/errors.ts";
import { sinceBoot } from "./clock.ts";
import type { Subject } from "./grant.ts";
import { digest, keyOf, newSecret, sameDigest } from "./secret.ts";

const IDLE_MS = 12 * 3_600_000;
const ABSOLUTE_MS = 7 * 24 * 3_600_000;
/** How late a page may learn that its time is over. */
const SWEEP_MS = 30_000;
const MAX_PAGES = 256;
const ID_BYTES = 6;
const EXPIRED = "The sign-in has expired; sign in again.";

/** What a page gets, once: the two halves of its proof. */
export interface SignedIn {
  cookie: string;
  secret: string;
  page: Page;
}

export interface Page {
  readonly id: string;
  readonly subject: Subject;
  /** Something of this page is alive, which keeps it from being idle; call the result when it is over. */
  hold(): () => void;
}

interface Entry extends Page {
  secret: Buffer;
  revocation: AbortController;
  /** In milliseconds of `now`: the end whatever happens, and when it was last seen. */
  ends: number;
  seen: number;
  holds: number;
}

export class Pages {
  /** Age of a cookie after which it is of no use, in milliseconds. */
  static readonly lifetime = ABSOLUTE_MS;
  /** By the cookie's digest. */
  readonly #entries = new Map<string, Entry>();
  readonly #now: () => number;
  readonly #sweeper: NodeJS.Timeout;

  /** `now` in milliseconds, of a clock that nobody sets. */
  constructor(now: () => number = sinceBoot) {
    this.#now = now;
    this.#sweeper = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  /** A page with the issuer's grant, for a week at most and twelve hours without use. It ends when the issuer is revoked. */
  open(issuer: Subject): SignedIn {
    this.sweep();
    if (this.#entries.size >= MAX_PAGES)
      throw new FairleadError("too-many", `${MAX_PAGES} pages are signed in; sign one out first.`);
    const cookie = newSecret();
    const secret = newSecret();
    const page = this.#entry(issuer, secret);
    this.#entries.set(keyOf(cookie), page);
    issuer.revoked.addEventListener("abort", () => this.close(page.id), { once: true, signal: page.subject.revoked });
    return { cookie, secret, page };
  }

  /** Both halves, or nothing. Counts as use. */
  verify(cookie: string, secret: string): Page | undefined {
    const entry = this.#alive(cookie);
    if (!entry || !sameDigest(entry.secret, digest(secret))) return undefined;
    entry.seen = this.#now();
    return entry;
  }

  /** Which page the cookie belongs to. Proves nothing: for comparing with a ticket, which does. */
  find(cookie: string): Page | undefined {
    return this.#alive(cookie);
  }

  /** Whether a page of this subject is signed in. */
  knows(subject: string): boolean {
    return [...this.#entries.values()].some((entry) => entry.subject.grant.subject === subject && !this.#over(entry));
  }

  /** Signs a page out and ends what it opened. Idempotent. */
  close(id: string, why = "The page was signed out; sign in again."): void {
    for (const [cookie, entry] of this.#entries) {
      if (entry.id !== id) continue;
      this.#entries.delete(cookie);
      entry.revocation.abort(new FairleadError("revoked", why));
    }
  }

  /** Signs out the pages whose time is over. */
  sweep(): void {
    for (const entry of this.#entries.values()) if (this.#over(entry)) this.close(entry.id, EXPIRED);
  }

  /** Signs everybody out. */
  closeAll(): void {
    clearInterval(this.#sweeper);
    for (const entry of this.#entries.values()) this.close(entry.id);
  }

  #alive(cookie: string): Entry | undefined {
    const entry = this.#entries.get(keyOf(cookie));
    if (!entry || !this.#over(entry)) return entry;
    this.close(entry.id, EXPIRED);
    return undefined;
  }

  #over(entry: Entry): boolean {
    const now = this.#now();
    return now >= entry.ends || (entry.holds === 0 && now >= entry.seen + IDLE_MS);
  }

  #entry(issuer: Subject, secret: string): Entry {
    const id = randomBytes(ID_BYTES).toString("hex");
    const revocation = new AbortController();
    const now = this.#now();
    const entry: Entry = {
      id,
      subject: { grant: { ...issuer.grant, subject: `page:${id}` }, revoked: revocation.signal },
      secret: digest(secret),
      revocation,
      ends: now + ABSOLUTE_MS,
      seen: now,
      holds: 0,
      hold: () => this.#hold(entry),
    };
    return entry;
  }

  #hold(entry: Entry): () => void {
    entry.holds++;
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      entry.holds--;
      entry.seen = this.#now();
    };
  }
}
