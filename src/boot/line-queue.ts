/** Lines on their way to a slow place: bounded, written in order and in batches, and what was lost is told where it is missing. */

/** Waiting lines beyond this many bytes are dropped, so that a stuck disk or terminal costs memory only once. */
const MAX_WAITING = 1024 * 1024;
/** Most bytes given to one write. */
const MAX_BATCH = 64 * 1024;
/** Room in each batch for the line about lost ones, in bytes. */
const GAP_ROOM = 512;

export interface LineQueueOptions {
  /** Writes whole lines; rejects when it could not. One call at a time. */
  write: (text: string, lines: number) => Promise<void>;
  /** Longest text that `write` takes, in bytes, where that is not much. A line that does not fit is lost. */
  maxBatch?: number;
  /** The line that stands for so many lost ones; at most 512 bytes. */
  gap: (lost: number) => string;
}

export class LineQueue {
  readonly #options: LineQueueOptions;
  readonly #maxBatch: number;
  readonly #lines: { text: string; bytes: number }[] = [];
  #waiting = 0;
  #lost = 0;
  #draining: Promise<void> | undefined;

  constructor(options: LineQueueOptions) {
    this.#options = options;
    this.#maxBatch = Math.min(MAX_BATCH, options.maxBatch ?? MAX_BATCH) - GAP_ROOM;
  }

  /** Never waits and never throws; a line that finds no room is counted as lost. */
  push(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (this.#waiting + bytes > MAX_WAITING || bytes > this.#maxBatch) {
      this.#lost++;
      return;
    }
    this.#lines.push({ text, bytes });
    this.#waiting += bytes;
    this.#draining ??= this.#drain();
  }

  /** Resolves when every line pushed so far is written or lost. Never rejects. */
  async flush(): Promise<void> {
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#lines.length > 0) {
      const batch = this.#next();
      const told = this.#lost;
      const gap = told > 0 ? this.#options.gap(told) : "";
      try {
        await this.#options.write(gap + batch.join(""), batch.length);
        this.#lost -= told;
      } catch {
        // The writer tells its own troubles; here only the number matters.
        this.#lost += batch.length;
      }
    }
    this.#draining = undefined;
  }

  #next(): string[] {
    const batch: string[] = [];
    let size = 0;
    for (const { text, bytes } of this.#lines) {
      if (size + bytes > this.#maxBatch) break;
      batch.push(text);
      size += bytes;
    }
    this.#lines.splice(0, batch.length);
    this.#waiting -= size;
    return batch;
  }
}
