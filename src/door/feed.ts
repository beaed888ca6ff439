/** Lines on their way to one reader who follows: bounded, and with signs of life between them. */

import { FairleadError } from "../protocol/errors.ts";

/** Characters that wait for a reader who does not keep up. */
const MAX_WAITING = 1_048_576;
/** A line without anything on it. */
const HEARTBEAT = "\n";

export class Feed {
  readonly #signal: AbortSignal;
  readonly #lines: string[] = [];
  #size = 0;
  #wake: () => void = () => {};

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", () => this.#wake(), { once: true });
  }

  push(text: string): void {
    if (this.#size > MAX_WAITING) return;
    this.#lines.push(text);
    this.#size += text.length;
    this.#wake();
  }

  /** Until the signal is aborted. Throws once the reader was too slow to be given everything. */
  async *read(heartbeatMs: number): AsyncGenerator<string, void, void> {
    while (!this.#signal.aborted) {
      if (this.#size > MAX_WAITING) throw new FairleadError("too-many", "The reader did not keep up.");
      if (this.#lines.length === 0) await this.#more(heartbeatMs);
      const line = this.#lines.shift() ?? HEARTBEAT;
      this.#size -= line === HEARTBEAT ? 0 : line.length;
      if (!this.#signal.aborted) yield line;
    }
  }

  async #more(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
