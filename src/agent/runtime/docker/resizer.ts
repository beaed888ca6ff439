/** Tells the engine the size of a terminal: one call at a time, and only the newest size after it. */

import { wait } from "../../../lib/wait.ts";
import type { Size } from "../runtime.ts";

export class Resizer {
  readonly #send: (size: Size) => Promise<unknown>;
  readonly #pause: number;
  #wanted: Size | undefined;
  #running: Promise<void> | undefined;

  /**
   * A `send` that fails means that there is no terminal any more, and is nobody's business. An engine that loses what
   * comes within `pause` milliseconds of another size gets each twice, that long apart.
   */
  constructor(send: (size: Size) => Promise<unknown>, pause = 0) {
    this.#send = send;
    this.#pause = pause;
  }

  /** Resolves when this size or a newer one was sent. */
  resize(size: Size): Promise<void> {
    this.#wanted = size;
    this.#running ??= this.#run();
    return this.#running;
  }

  async #again(size: Size): Promise<void> {
    await wait(this.#pause, new AbortController().signal);
    if (this.#wanted) return;
    await this.#send(size).catch(() => {});
    await wait(this.#pause, new AbortController().signal);
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      const size = this.#wanted;
      this.#wanted = undefined;
      await this.#send(size).catch(() => {});
      if (this.#pause > 0) await this.#again(size);
    }
    this.#running = undefined;
  }
}
