/** Slows a source of wrong credentials down, and nobody else. */

import { sinceBoot } from "./clock.ts";

const WINDOW_MS = 60_000;
const MAX_FAILURES = 10;
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 2_000;
/** Sources remembered; beyond it the one that failed longest ago is forgotten. */
const MAX_SOURCES = 10_000;

export type Verdict = { delayMs: number } | { retryAfterMs: number };

export class Throttle {
  /** Times of the last failures of each source, the source that failed longest ago first. */
  readonly #failures = new Map<string, number[]>();
  readonly #now: () => number;

  /** `now` in milliseconds, of a clock that nobody sets. */
  constructor(now: () => number = sinceBoot) {
    this.#now = now;
  }

  /** Milliseconds until the source may try again; 0 if it may now. */
  blockedFor(source: string): number {
    const recent = this.#recent(source);
    const oldest = recent[recent.length - MAX_FAILURES];
    return oldest === undefined ? 0 : oldest + WINDOW_MS - this.#now();
  }

  /** Counts a wrong credential and says how its answer is to be slowed: held back for longer each time, then refused. */
  failed(source: string): Verdict {
    const blocked = this.blockedFor(source);
    if (blocked > 0) return { retryAfterMs: blocked };
    const recent = [...this.#recent(source), this.#now()];
    this.#failures.delete(source);
    this.#failures.set(source, recent);
    this.#forget();
    return { delayMs: Math.min(FIRST_DELAY_MS * 2 ** (recent.length - 1), MAX_DELAY_MS) };
  }

  #recent(source: string): number[] {
    const since = this.#now() - WINDOW_MS;
    return (this.#failures.get(source) ?? []).filter((time) => time > since);
  }

  #forget(): void {
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > MAX_SOURCES && oldest !== undefined) this.#failures.delete(oldest);
  }
}
