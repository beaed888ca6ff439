/** What stands in the address that opens an app: good once, for seconds, on that app's origin. */

import { sinceBoot } from "../../auth/clock.ts";
import { newSecret, keyOf } from "../../auth/secret.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Identity } from "../identity.ts";
import type { Port } from "./addresses.ts";

const VALID_MS = 30_000;
const MAX_OUTSTANDING = 1_000;
/** Of one subject. */
const MAX_OWN = 64;

export interface Invitation extends Port {
  identity: Identity;
  origin: string;
}

export class Invitations {
  /** By the code's digest, oldest first: all live equally long. */
  readonly #outstanding = new Map<string, Invitation & { ends: number }>();
  readonly #now: () => number;

  /** `now` in milliseconds, of a clock that nobody sets. */
  constructor(now: () => number = sinceBoot) {
    this.#now = now;
  }

  /**
   * The oldest of a subject that has too many is good no more. `expires`: milliseconds since 1970. Throws `too-many` when a
   * thousand of all are outstanding.
   */
  issue(wanted: Invitation): { code: string; expires: number } {
    this.#sweep();
    this.#makeRoom(wanted.identity.subject.grant.subject);
    if (this.#outstanding.size >= MAX_OUTSTANDING)
      throw new FairleadError("too-many", `${MAX_OUTSTANDING} apps are about to be opened; try again in 30 seconds.`);
    const code = newSecret();
    this.#outstanding.set(keyOf(code), { ...wanted, ends: this.#now() + VALID_MS });
    return { code, expires: Date.now() + VALID_MS };
  }

  /** Uses the code up, whether or not it is good here. */
  redeem(code: string, origin: string): Invitation | undefined {
    this.#sweep();
    const found = this.#outstanding.get(keyOf(code));
    this.#outstanding.delete(keyOf(code));
    return found?.origin === origin && !found.identity.subject.revoked.aborted ? found : undefined;
  }

  /** For one more of this subject. */
  #makeRoom(name: string): void {
    const own = [...this.#outstanding].filter(([, { identity }]) => identity.subject.grant.subject === name);
    const [oldest] = own;
    if (own.length >= MAX_OWN && oldest) this.#outstanding.delete(oldest[0]);
  }

  #sweep(): void {
    const now = this.#now();
    for (const [key, { ends }] of this.#outstanding) {
      if (ends > now) return;
      this.#outstanding.delete(key);
    }
  }
}
