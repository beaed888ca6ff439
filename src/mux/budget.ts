/** The memory that all replay buffers and grown windows of a process share. */

import { FramePool } from "./frame-pool.ts";

/** Hands out bytes beyond what each session is guaranteed. Never blocks: a refused caller stays at its present size. */
export class Budget {
  readonly total: number;
  readonly frames = new FramePool();
  #used = 0;

  constructor(total: number) {
    this.total = total;
  }

  get used(): number {
    return this.#used;
  }

  take(bytes: number): boolean {
    if (this.#used + bytes > this.total) return false;
    this.#used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#used = Math.max(0, this.#used - bytes);
  }
}
