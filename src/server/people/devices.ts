/** Programs that wait for somebody to approve their login elsewhere. */

import type { Subject } from "../../auth/grant.ts";
import { newCode, plainCode } from "../../auth/codes.ts";
import { keyOf, newSecret } from "../../auth/secret.ts";
import { FairleadError } from "../../protocol/errors.ts";

const LIFETIME_MS = 10 * 60_000;
const MAX_WAITING = 64;
/** How often the program may ask, in milliseconds. */
const INTERVAL_MS = 1_000;

interface Waiting {
  name: string;
  code: string;
  expires: number;
  approvedBy?: Subject;
}

export interface Asked {
  device: string;
  code: string;
  expires: number;
  interval: number;
}

export class Devices {
  /** By the digest of the program's secret. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** `name` says what the login is for. Throws `too-many`. */
  ask(name: string): Asked {
    this.#sweep();
    if (this.#waiting.size >= MAX_WAITING)
      throw new FairleadError("too-many", `${MAX_WAITING} logins wait to be approved; try again in ten minutes.`);
    const device = newSecret();
    const code = newCode();
    const expires = this.#now() + LIFETIME_MS;
    this.#waiting.set(keyOf(device), { name, code: plainCode(code), expires });
    return { device, code, expires, interval: INTERVAL_MS };
  }

  /** Lets the login with this code in, with what `by` may do; tells what it is for. `undefined`: there is no such code. */
  approve(typed: string, by: Subject): string | undefined {
    this.#sweep();
    const wanted = plainCode(typed);
    const found = [...this.#waiting.values()].find(({ code, approvedBy }) => code === wanted && !approvedBy);
    if (found) found.approvedBy = by;
    return found?.name;
  }

  /** `pending` until it is approved; then who approved it, once. `undefined`: unknown, over, or fetched. */
  fetch(device: string): { name: string; by: Subject } | "pending" | undefined {
    this.#sweep();
    const found = this.#waiting.get(keyOf(device));
    if (!found?.approvedBy) return found && "pending";
    this.#waiting.delete(keyOf(device));
    return found.approvedBy.revoked.aborted ? undefined : { name: found.name, by: found.approvedBy };
  }

  #sweep(): void {
    const now = this.#now();
    for (const [id, { expires }] of this.#waiting) if (expires <= now) this.#waiting.delete(id);
  }
}
