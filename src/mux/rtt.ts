/** The shortest recent round trip: what the path takes when nothing is queued on it. */

/** So many samples count; older ones describe a path that may have changed. */
const SAMPLES = 10;

export class RoundTrip {
  readonly #samples: number[] = [];

  add(ms: number): void {
    this.#samples.push(ms);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /** Milliseconds; undefined before the first answer. */
  get min(): number | undefined {
    return this.#samples.length === 0 ? undefined : Math.min(...this.#samples);
  }

  get last(): number | undefined {
    return this.#samples.at(-1);
  }
}
