/** The shortest round trip of a connection: what the path takes when nothing is queued on it. */

/**
 * Forgets nothing: while bulk moves, every answer waits in the queue that the bulk makes, and a minimum over recent
 * ones would take that for the path, allow twice as much again, and so build seconds of queue step by step.
 */
export class RoundTrip {
  #min: number | undefined;
  #samples = 0;

  add(ms: number): void {
    this.#samples += 1;
    this.#min = Math.min(ms, this.#min ?? ms);
  }

  /** Milliseconds; undefined before the first answer. */
  get min(): number | undefined {
    return this.#min;
  }

  get samples(): number {
    return this.#samples;
  }
}
