/** Tells the engine the size of a terminal: one call at a time, and only the newest size after it. */

import type { Size } from "../runtime.ts";

export class Resizer {
  readonly #send: (size: Size) => Promise<unknown>;
  #wanted: Size | undefined;
  #running: Promise<void> | undefined;

  /** A `send` that fails means that there is no terminal any more, and is nobody's business. */
  constructor(send: (size: Size) => Promise<unknown>) {
    this.#send = send;
  }

  /** Resolves when this size or a newer one was sent. */
  resize(size: Size): Promise<void> {
    this.#wanted = size;
    this.#running ??= this.#run();
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      const size = this.#wanted;
      this.#wanted = undefined;
      await this.#send(size).catch(() => {});
    }
    this.#running = undefined;
  }
}
