/**
 * A followed log whose files the engine rotates. Once Docker 20.10, or its reader, was slower than two rotations, it skips
 * what it has not read of a file, then and at each rotation after that, and does not say so.
 */

import { toSince } from "../../../lib/stamp.ts";
import { type LogEntry, LogInterrupted } from "../runtime.ts";
import { Repeats } from "./log-repeats.ts";
import { nameOf } from "./log-silence.ts";

/** Milliseconds between two entries that may hide others. */
const JUMP = 50;
/** Characters of a stamp up to hundredths of a second: entries that share them do not jump. */
const CLOSE = 22;
/** Of the time that passes so much may go into looking at jumps, and be saved up to so many milliseconds. */
const SHARE = 0.1;
const SAVED = 5_000;

/** An entry is looked for in so many lines from the end, and then in more: an engine finds the last ones without reading the others. */
const TAILS = [500, 5_000, 50_000];

/** The entries from this moment on, as the log has them now, of so many from its end. */
export type Look = (since: string, tail: number) => AsyncIterable<LogEntry[]>;

export class Rotation {
  readonly #look: Look;
  readonly #repeats = new Repeats();
  readonly #began = Date.now();
  #last: LogEntry | undefined;
  /** Milliseconds that may be spent, as of `#counted`. */
  #budget = SAVED;
  #counted = performance.now();

  constructor(look: Look) {
    this.#look = look;
  }

  /** The entries that are new, in pieces. Throws LogInterrupted before the first that may have lost its predecessor. */
  async *whole(entries: LogEntry[]): AsyncGenerator<LogEntry[], void, undefined> {
    const fresh = entries.filter((entry) => this.#repeats.isNew(entry));
    let from = 0;
    for (const [at, entry] of fresh.entries()) {
      const last = this.#last;
      this.#last = entry;
      if (!last || !this.#jumps(last, entry)) continue;
      if (at > from) yield fresh.slice(from, at);
      from = at;
      if (!(await this.#follows(last, entry)))
        throw new LogInterrupted("The engine skipped a part of the log when it rotated it.");
    }
    if (fresh.length > from) yield fresh.slice(from);
  }

  /** What was there before the follow began is read from files that are open already, and stays whole. */
  #jumps(last: LogEntry, { time }: LogEntry): boolean {
    if (time.slice(0, CLOSE) === last.time.slice(0, CLOSE)) return false;
    const now = Date.parse(time);
    return Math.abs(now - Date.parse(last.time)) > JUMP && now > this.#began;
  }

  /** Going back in time is never trusted; going on is, when too much time has gone into looking lately. */
  async #follows(last: LogEntry, next: LogEntry): Promise<boolean> {
    if (next.time < last.time) return false;
    const started = performance.now();
    this.#budget = Math.min(this.#budget + SHARE * (started - this.#counted), SAVED);
    this.#counted = started;
    if (this.#budget <= 0) return true;
    const follows = await this.#adjoin(last, next);
    this.#budget -= performance.now() - started;
    return follows;
  }

  async #adjoin(last: LogEntry, next: LogEntry): Promise<boolean> {
    for (const tail of TAILS) {
      let before: string | undefined;
      for await (const entry of single(this.#look(toSince(last.time), tail))) {
        if (before === nameOf(last) && nameOf(entry) === nameOf(next)) return true;
        if (entry.time > next.time) break;
        before = nameOf(entry);
      }
    }
    return false;
  }
}

async function* single(batches: AsyncIterable<LogEntry[]>): AsyncGenerator<LogEntry, void, undefined> {
  for await (const batch of batches) yield* batch;
}
