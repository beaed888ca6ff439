/** Finds out that the engine has stopped delivering a followed log: old ones do at a rotation, and say nothing. */

import { wait } from "../../../lib/wait.ts";
import type { LogEntry } from "../runtime.ts";

export interface Patience {
  /** Milliseconds of silence before the first look at the log's end; doubles while nothing is found. */
  first: number;
  /** Milliseconds between two looks at most: a quiet container costs the engine no more than this. */
  max: number;
  /** Milliseconds in which the follow may still deliver what the look has found. */
  grace: number;
}

export const PATIENCE: Patience = { first: 2_000, max: 60_000, grace: 500 };

const LF = 10;

/** Told of everything that is read, it looks by itself. */
export class Silence {
  readonly #patience: Patience;
  /** The last entry of the log, as the engine tells it to whoever asks now. */
  readonly #look: (signal: AbortSignal) => Promise<LogEntry | undefined>;
  /** Which entry was read last, or was there when nothing had been read yet. */
  #last: string | undefined;
  #lastTime = "";
  #count = 0;
  #asking = false;

  constructor(look: (signal: AbortSignal) => Promise<LogEntry | undefined>, patience: Patience) {
    this.#look = look;
    this.#patience = patience;
  }

  /** The next entries are waited for; only then is silence one. */
  ask(): void {
    this.#asking = true;
  }

  /** This was read, and nothing is asked for until it has been dealt with. */
  heard(entries: LogEntry[]): void {
    this.#asking = false;
    const last = entries.at(-1);
    if (!last) return;
    this.#count += 1;
    this.#last = nameOf(last);
    this.#lastTime = last.time;
  }

  /** Resolves with true when the log has entries that the follow does not deliver, with false when the signal is aborted. */
  async broken(signal: AbortSignal): Promise<boolean> {
    const { first, max } = this.#patience;
    for (let ms = first; ; ) {
      const count = this.#count;
      await wait(ms, signal);
      if (signal.aborted) return false;
      const silent = this.#asking && this.#count === count;
      if (silent && (await this.#missed(signal))) return true;
      ms = silent ? Math.min(2 * ms, max) : first;
    }
  }

  /** Whether the log goes on after the last entry that was read, as far as stamps tell. */
  async behind(signal: AbortSignal): Promise<boolean> {
    const newest = await this.#look(signal).catch(() => undefined);
    return newest !== undefined && this.#lastTime !== "" && newest.time > this.#lastTime;
  }

  async #missed(signal: AbortSignal): Promise<boolean> {
    const count = this.#count;
    // An engine that does not answer is noticed elsewhere.
    const newest = await this.#look(signal).catch(() => undefined);
    // A line that has not ended yet may be held back until it has.
    if (newest?.bytes.at(-1) !== LF) return false;
    const before = this.#last;
    this.#last ??= nameOf(newest);
    if (before === undefined || before === nameOf(newest)) return false;
    await wait(this.#patience.grace, signal);
    return !signal.aborted && this.#count === count;
  }
}

/** Enough to tell an entry from others near it; the full parts of a long line share one. */
export function nameOf({ stream, time, bytes }: LogEntry): string {
  return `${stream} ${time} ${bytes.length}`;
}
