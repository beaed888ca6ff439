/** How much the other side may send: credit for what was consumed, and a window that follows the path's speed. */

import type { Budget } from "./budget.ts";
import { INITIAL_WINDOW } from "./frame.ts";

/** One channel never holds more than this unread, in bytes. */
const MAX_WINDOW = 16 * 1024 * 1024;
/** Round trips' worth of data to allow: more than one, or the window could never grow with the rate. What is beyond one is queued. */
const AHEAD = 2;
/** What the two programs' own turns take of a round trip, in milliseconds: nothing is on the path meanwhile. */
const TURNS_MS = 0.1;
/** A ping may overtake what a busy reader does with data: so much may always be queued, in milliseconds at the delivered rate ... */
const QUEUE_MS = 20;
/** ... but no more than this, in bytes, while nobody else speaks on the connection ... */
const QUEUE_ALONE = 1024 * 1024;
/** ... and this while somebody does: a sequence's longest packet fits, or bulk would wait for credit after each. */
const QUEUE_SHARED = 160 * 1024;
/** A rate is measured over at least this, in milliseconds. */
const INTERVAL_MS = 5;
/** The fastest of so many intervals counts. */
const INTERVALS = 8;

/** What is known of the connection. */
export interface Path {
  /** Shortest round trip in milliseconds, once measured. */
  readonly rtt: number | undefined;
  /** Several channels have received something lately. */
  readonly shared: boolean;
}

/**
 * The receiving half of a channel's flow control. Offsets count the messages' cost (their bytes, and a little each) since the channel opened.
 * How large the window is, and why: SPEC.md, section 3.
 */
export class ReceiveWindow {
  readonly #path: Path;
  readonly #budget: Budget;
  #size = INITIAL_WINDOW;
  /** Bytes out of the budget: what the window, or credit of a larger one that is not used up, has beyond the first. */
  #taken = 0;
  #received = 0;
  #consumed = 0;
  #granted = INITIAL_WINDOW;
  #since = performance.now();
  #counted = 0;
  readonly #rates: number[] = [];

  constructor(budget: Budget, path: Path) {
    this.#budget = budget;
    this.#path = path;
  }

  /** A message arrived. False: it began beyond the credit, a violation. */
  receive(bytes: number): boolean {
    if (this.#received >= this.#granted) return false;
    this.#received += bytes;
    return true;
  }

  /** The reader is done with so many bytes. Returns the new credit when it is worth telling: a quarter of a window more. */
  consume(bytes: number): number | undefined {
    this.#consumed += bytes;
    this.#measure(performance.now());
    this.#giveBack(Math.max(this.#size, this.#granted - this.#consumed) - INITIAL_WINDOW);
    const grant = this.#consumed + this.#size;
    if (grant - this.#granted < this.#size / 4) return undefined;
    this.#granted = grant;
    return grant;
  }

  /** Gives back what it grew by. */
  close(): void {
    this.#size = INITIAL_WINDOW;
    this.#giveBack(0);
  }

  #measure(now: number): void {
    const elapsed = now - this.#since;
    const { rtt = 0, shared } = this.#path;
    if (elapsed < Math.max(INTERVAL_MS, rtt)) return;
    this.#rates.push((this.#consumed - this.#counted) / elapsed);
    if (this.#rates.length > INTERVALS) this.#rates.shift();
    this.#since = now;
    this.#counted = this.#consumed;
    const rate = Math.max(...this.#rates);
    const queue = Math.min(QUEUE_MS * rate, shared ? QUEUE_SHARED : QUEUE_ALONE);
    this.#resize(Math.ceil(Math.max(AHEAD * Math.max(0, rtt - TURNS_MS) * rate, queue)));
  }

  #resize(wanted: number): void {
    const size = Math.min(Math.max(wanted, INITIAL_WINDOW), MAX_WINDOW);
    const more = size - INITIAL_WINDOW - this.#taken;
    if (more > 0) {
      if (!this.#budget.take(more)) return;
      this.#taken += more;
    }
    this.#size = size;
  }

  /** Whatever of the budget is not `needed`. */
  #giveBack(needed: number): void {
    if (needed >= this.#taken) return;
    this.#budget.give(this.#taken - needed);
    this.#taken = needed;
  }
}
