/** One-time sign-in codes: short enough to read out and type, good for one page. */

import { randomInt } from "node:crypto";
import { FairleadError } from "../protocol/errors.ts";
import { sinceBoot } from "./clock.ts";
import type { Subject } from "./grant.ts";
import { keyOf } from "./secret.ts";

/** Without the characters that are taken for one another (0 and O, 1 and I and L, U and V). */
const ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
/** Twelve characters of thirty: 58 bits, out of reach for what the door lets through in the life of a code. */
const LENGTH = 12;
const GROUP = 4;
/** How long a code is good, in milliseconds. */
export const CODE_MS = 15 * 60_000;
const MAX_OUTSTANDING = 16;
/** What is typed may carry spaces and dashes; anything longer is no code. */
const MAX_TYPED = 64;

export interface Code {
  /** In groups of four: `7KQ2-MX9D-4TBA`. */
  code: string;
  /** Milliseconds since 1970. */
  expires: number;
}

interface Outstanding {
  issuer: Subject;
  /** In milliseconds of `now`. */
  ends: number;
}

/** Random, in groups. */
export function newCode(): string {
  const letters = Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join("");
  return (letters.match(new RegExp(`.{${GROUP}}`, "g")) ?? []).join("-");
}

/** As it counts: case, spaces and dashes do not. */
export function plainCode(typed: string): string {
  return typed.toUpperCase().replaceAll(/[\s-]/g, "");
}

/** By what a code is remembered; it has no slash, and the code cannot be told from it. */
export function codeKey(typed: string): string {
  return keyOf(plainCode(typed)).replaceAll("/", "_");
}

export class Codes {
  readonly #outstanding = new Map<string, Outstanding>();
  readonly #now: () => number;

  /** `now` in milliseconds, of a clock that nobody sets. */
  constructor(now: () => number = sinceBoot) {
    this.#now = now;
  }

  /** A code that signs one page in with the issuer's grant, within 15 minutes. Throws `too-many` when sixteen are outstanding. */
  issue(issuer: Subject): Code {
    this.#sweep();
    if (this.#outstanding.size >= MAX_OUTSTANDING)
      throw new FairleadError(
        "too-many",
        `${MAX_OUTSTANDING} sign-in codes are outstanding; use one, or wait 15 minutes.`,
      );
    const code = newCode();
    this.admit(codeKey(code), { issuer, lifetime: CODE_MS });
    return { code, expires: Date.now() + CODE_MS };
  }

  /** A code that was made elsewhere, by its key. `lifetime`: the milliseconds that it has left. */
  admit(key: string, { issuer, lifetime }: { issuer: Subject; lifetime: number }): void {
    this.#sweep();
    this.#outstanding.set(key, { issuer, ends: this.#now() + Math.min(lifetime, CODE_MS) });
  }

  /** Uses the code up and tells who issued it; case, spaces and dashes do not matter. */
  redeem(typed: string): Subject | undefined {
    return this.#take(typed)?.issuer;
  }

  /** The same for work that may fail: then it throws, and the code is good again. `undefined`: it is not good. */
  async spend<T>(typed: string, work: (issuer: Subject) => Promise<T>): Promise<T | undefined> {
    const taken = this.#take(typed);
    if (!taken) return undefined;
    try {
      return await work(taken.issuer);
    } catch (error) {
      this.#outstanding.set(codeKey(typed), taken);
      throw error;
    }
  }

  #take(typed: string): Outstanding | undefined {
    if (typed.length > MAX_TYPED) return undefined;
    this.#sweep();
    const id = codeKey(typed);
    const found = this.#outstanding.get(id);
    this.#outstanding.delete(id);
    return found?.issuer.revoked.aborted ? undefined : found;
  }

  #sweep(): void {
    const now = this.#now();
    for (const [id, { ends }] of this.#outstanding) if (ends <= now) this.#outstanding.delete(id);
  }
}
