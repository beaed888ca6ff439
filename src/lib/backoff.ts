/** How long to wait before the next attempt. */

export interface BackoffOptions {
  /** Milliseconds before the second attempt; doubles from there. */
  first: number;
  max: number;
  /** A number from 0 to 1; injected by tests. */
  random?: () => number;
}

/** Doubling waits with jitter (half to all of it), so that many clients do not come back at once. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempt = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  get attempt(): number {
    return this.#attempt;
  }

  /** Milliseconds. */
  next(): number {
    const { first, max, random = Math.random } = this.#options;
    const wait = Math.min(first * 2 ** this.#attempt, max);
    this.#attempt += 1;
    return wait / 2 + (wait / 2) * random();
  }

  reset(): void {
    this.#attempt = 0;
  }
}
