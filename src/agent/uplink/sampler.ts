/** Takes figures at their own pace, so that none of them ever holds a report up. */

import { wait } from "../../lib/wait.ts";

export interface SamplerOptions<T> {
  look: () => Promise<T>;
  /** Milliseconds between the beginnings of two looks; asked each time. */
  every: () => number;
  signal: AbortSignal;
}

/** The last figures, however old; `undefined` before the first look is over. */
export class Sampler<T> {
  #latest: T | undefined;

  /** `look` never rejects. */
  constructor(options: SamplerOptions<T>) {
    void this.#run(options);
  }

  get latest(): T | undefined {
    return this.#latest;
  }

  async #run({ look, every, signal }: SamplerOptions<T>): Promise<void> {
    while (!signal.aborted) {
      const started = performance.now();
      this.#latest = await look();
      await wait(Math.max(0, every() - (performance.now() - started)), signal);
    }
  }
}
