/** Where a reader stands in a container's log, exact to the entry. */

import { compareSince, toSince } from "../../lib/stamp.ts";
import type { LogCursor } from "../../protocol/open.ts";
import type { LogEntry, StreamName } from "../runtime/runtime.ts";

const NEWLINE = 10;

interface Position {
  time: string;
  /** Entries with that time that have been read; many engines stamp coarsely. */
  ordinal: number;
}

/** One entry of a log. */
export interface LogPlace extends Position {
  stream: StreamName;
}

/** Between two times; the log no longer tells what was there. */
export interface LogGap {
  from: string;
  to: string;
}

/** Counts entries as they are delivered, and skips those that a reader who starts again has already. */
export class LogPosition {
  readonly #container: string;
  /** The last that was delivered, per stream. */
  readonly #seen: Partial<Record<StreamName, Position>> = {};
  /** The last of those that ended a line. */
  readonly #whole: Partial<Record<StreamName, Position>> = {};
  /** Where the present reading is. */
  #at: Partial<Record<StreamName, Position>> = {};
  /** Streams of which it still repeats what was delivered before; beyond that even a clock set back loses no line. */
  readonly #repeating = new Set<StreamName>();
  /** The stream of the last entry that was delivered. */
  #last: StreamName | undefined;
  /** Where the first reading began, per stream: perhaps among entries of the same time, which are then counted short. */
  readonly #began: Partial<Record<StreamName, string>> = {};
  #restarted = false;
  /** Reading again, the last entry that was delivered has not come yet. */
  #missing = false;
  #gap: LogGap | undefined;

  constructor(container: string, after?: LogCursor) {
    this.#container = container;
    const { stdout, stderr } = after ?? {};
    if (stdout) this.#seen.stdout = this.#whole.stdout = stdout;
    if (stderr) this.#seen.stderr = this.#whole.stderr = stderr;
    // Of another container, as when it was made anew: then its entries are not expected here.
    if (after?.container !== container) return;
    if (stdout) this.#last = "stdout";
    if (stderr && (!stdout || compareSince(toSince(stderr.time), toSince(stdout.time)) > 0)) this.#last = "stderr";
  }

  /** Reads again from the engine: what it should start with (inclusive, as engines have it), if anything was delivered. */
  restart(): string | undefined {
    this.#at = {};
    this.#missing = this.#last !== undefined;
    if (this.#seen.stdout) this.#repeating.add("stdout");
    if (this.#seen.stderr) this.#repeating.add("stderr");
    const times = [this.#seen.stdout, this.#seen.stderr].flatMap((it) => (it ? [toSince(it.time)] : []));
    this.#restarted = times.length > 0;
    return times.sort(compareSince)[0];
  }

  /** Whether the entry is new; counts it either way. */
  advance({ stream, time, bytes }: LogEntry): boolean {
    const at = this.#at[stream];
    if (!at && !this.#restarted) this.#began[stream] = time;
    const here = { time, ordinal: at?.time === time ? at.ordinal + 1 : 1 };
    this.#at[stream] = here;
    if (this.#repeating.has(stream) && this.#repeats(stream, here)) return false;
    if (this.#missing) this.#gap = { from: this.#seen[this.#last ?? stream]?.time ?? time, to: time };
    this.#missing = false;
    this.#seen[stream] = here;
    if (bytes.at(-1) === NEWLINE) this.#whole[stream] = here;
    this.#last = stream;
    return true;
  }

  /** The last entry that was delivered, if it is known for certain and the present reading has come to it. */
  get place(): LogPlace | undefined {
    const stream = this.#last;
    const seen = stream && this.#seen[stream];
    if (!seen || this.#repeating.size > 0 || seen.time === this.#began[stream]) return undefined;
    return { stream, ...seen };
  }

  /** What is missing before the first new entry since `restart`, told once: the entry before it is not in the log any more. */
  takeGap(): LogGap | undefined {
    const gap = this.#gap;
    this.#gap = undefined;
    return gap;
  }

  get cursor(): LogCursor {
    return { container: this.#container, ...this.#seen };
  }

  /** Where the lines begin whose end has not come. */
  get lineCursor(): LogCursor {
    return { container: this.#container, ...this.#whole };
  }

  /** Whether it was delivered before; notices the last such entry. */
  #repeats(stream: StreamName, here: Position): boolean {
    const seen = this.#seen[stream];
    const order = seen ? compare(here, seen) : 1;
    if (order >= 0) this.#repeating.delete(stream);
    if (order === 0 && stream === this.#last) this.#missing = false;
    return order <= 0;
  }
}

function compare(a: Position, b: Position): number {
  if (a.time === b.time) return a.ordinal - b.ordinal;
  return compareSince(toSince(a.time), toSince(b.time));
}
