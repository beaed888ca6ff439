/** Programs that wait for somebody to approve their login elsewhere. */

import { sinceBoot } from "../../auth/clock.ts";
import type { Subject } from "../../auth/grant.ts";
import { newCode, plainCode } from "../../auth/codes.ts";
import { keyOf, newSecret } from "../../auth/secret.ts";
import { checkShare, takenFrom } from "../../auth/share.ts";
import type { Source } from "../../door/address.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { AskedReply } from "../../protocol/login.ts";

const LIFETIME_MS = 10 * 60_000;
const MAX_WAITING = 64;
/** How often the program may ask, in milliseconds. */
const INTERVAL_MS = 1_000;

interface Waiting extends AskedReply {
  source: string;
  ends: number;
  approvedBy?: Subject;
  refused?: true;
}

export interface Asked {
  device: string;
  code: string;
  /** Milliseconds since 1970. */
  expires: number;
  interval: number;
}

export class Devices {
  /** By the digest of the program's secret. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #now: () => number;

  /** `now` in milliseconds, of a clock that nobody sets. */
  constructor(now: () => number = sinceBoot) {
    this.#now = now;
  }

  /** `name` says what the login is for. Anybody may ask, so each source has a share alone. Throws `too-many`. */
  ask(name: string, { name: source, address }: Pick<Source, "name" | "address">): Asked {
    this.#sweep();
    const sources = Array.from(this.#waiting.values(), (waiting) => waiting.source);
    const words = `At most ${MAX_WAITING} logins wait to be approved: try again in ten minutes, or log in with a one-time code`;
    checkShare(MAX_WAITING, takenFrom(sources, source), words);
    const device = newSecret();
    const code = newCode();
    const asked = Date.now();
    this.#waiting.set(keyOf(device), { name, address, source, code, asked, ends: this.#now() + LIFETIME_MS });
    return { device, code, expires: asked + LIFETIME_MS, interval: INTERVAL_MS };
  }

  /** Who waits with this code. Throws `not-found`, as the next two do. */
  find(typed: string): AskedReply {
    const { name, code, address, asked } = this.#undecided(typed);
    return { name, code, address, asked };
  }

  /** Lets the login with this code in, with what `by` may do; tells what it is for. */
  approve(typed: string, by: Subject): string {
    const found = this.#undecided(typed);
    found.approvedBy = by;
    return found.name;
  }

  /** Whoever waits with this code is told that he is not let in. */
  refuse(typed: string): string {
    const found = this.#undecided(typed);
    found.refused = true;
    return found.name;
  }

  /**
   * `pending` until it is decided; then what `letIn` makes of who approved it, once, or `refused`. `undefined`: unknown,
   * over, or fetched. Throws as `letIn` does, and then it may be fetched again.
   */
  async fetch<T>(
    device: string,
    letIn: (login: { name: string; by: Subject }) => Promise<T>,
  ): Promise<T | "pending" | "refused" | undefined> {
    this.#sweep();
    const found = this.#waiting.get(keyOf(device));
    if (!found) return undefined;
    const { name, refused, approvedBy: by } = found;
    if (!refused && !by) return "pending";
    this.#waiting.delete(keyOf(device));
    if (!by) return "refused";
    if (by.revoked.aborted) return undefined;
    try {
      return await letIn({ name, by });
    } catch (error) {
      this.#waiting.set(keyOf(device), found);
      throw error;
    }
  }

  #undecided(typed: string): Waiting {
    this.#sweep();
    const wanted = plainCode(typed);
    const open = [...this.#waiting.values()].filter(({ approvedBy, refused }) => !approvedBy && !refused);
    const found = open.find(({ code }) => plainCode(code) === wanted);
    if (found) return found;
    throw new FairleadError("not-found", "No login waits with that code. Codes are good for ten minutes, once.");
  }

  #sweep(): void {
    const now = this.#now();
    for (const [id, { ends }] of this.#waiting) if (ends <= now) this.#waiting.delete(id);
  }
}
