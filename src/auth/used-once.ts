/** Ids that are good once, remembered for as long as what they belong to would be good. */

import { FairleadError } from "../protocol/errors.ts";

/** Beyond so many nothing more is let in for a moment. */
const MAX_USED = 100_000;

export class UsedOnce {
  readonly #now: () => number;
  /** By id, oldest first: when it may be forgotten. */
  readonly #used = new Map<string, number>();

  /** `now`: milliseconds since 1970. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** Uses the id up until then, in seconds since 1970; false when it was used before. Throws `too-many`. */
  use(id: string, until: number): boolean {
    const now = this.#now() / 1_000;
    for (const [old, end] of this.#used) {
      if (end >= now) break;
      this.#used.delete(old);
    }
    if (this.#used.has(id)) return false;
    if (this.#used.size >= MAX_USED)
      throw new FairleadError("too-many", "Too many sessions were opened through the server in the last two minutes.");
    this.#used.set(id, until);
    return true;
  }
}
