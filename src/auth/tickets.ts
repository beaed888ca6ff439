/** Tickets: a browser cannot set a header on a WebSocket, so it brings one of these instead of anything that lives longer. */

import { sinceBoot } from "./clock.ts";
import type { Subject } from "./grant.ts";
import { keyOf, newSecret } from "./secret.ts";
import { checkShare, takenFrom } from "./share.ts";

const TICKET_MS = 30_000;
const MAX_OUTSTANDING = 1_000;

/** For whom a ticket is good: it was given to this page of this origin and is of no use anywhere else. */
export interface Holder {
  subject: Subject;
  /** As the browser names it; `undefined` for a program that is no browser. */
  origin: string | undefined;
  /** The page session that asked for it; its cookie must come along. */
  page?: string;
}

interface Ticket {
  holder: Holder;
  ends: number;
}

export class Tickets {
  /** By digest, oldest first: all live equally long. */
  readonly #outstanding = new Map<string, Ticket>();
  readonly #now: () => number;

  /** `now` in milliseconds, of a clock that nobody sets. */
  constructor(now: () => number = sinceBoot) {
    this.#now = now;
  }

  /** A ticket for one WebSocket within 30 s. Throws `too-many` when a thousand are outstanding, or his share of them. */
  issue(holder: Holder): string {
    this.#sweep();
    const holders = [...this.#outstanding.values()].map((ticket) => ticket.holder.subject.grant.subject);
    const words = `At most ${MAX_OUTSTANDING} WebSocket tickets are outstanding at a time: try again in 30 seconds`;
    checkShare(MAX_OUTSTANDING, takenFrom(holders, holder.subject.grant.subject), words);
    const ticket = newSecret();
    this.#outstanding.set(keyOf(ticket), { holder, ends: this.#now() + TICKET_MS });
    return ticket;
  }

  /** Uses the ticket up, whether or not it is good. `undefined` if it is unknown, used, expired, revoked or of another origin or page. */
  redeem(ticket: string, bearer: { origin: string | undefined; page: string | undefined }): Holder | undefined {
    const found = this.#outstanding.get(keyOf(ticket));
    if (!found) return undefined;
    this.#outstanding.delete(keyOf(ticket));
    const { holder } = found;
    const samePage = holder.page === undefined || holder.page === bearer.page;
    const good = found.ends > this.#now() && !holder.subject.revoked.aborted;
    return good && samePage && holder.origin === bearer.origin ? holder : undefined;
  }

  #sweep(): void {
    const now = this.#now();
    for (const [id, { ends }] of this.#outstanding) {
      if (ends > now) return;
      this.#outstanding.delete(id);
    }
  }
}
