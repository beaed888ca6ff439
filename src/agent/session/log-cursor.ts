/** Where a reader stands in a container's log, exact to the entry. */

import type { LogCursor } from "../../protocol/open.ts";
import type { LogEntry, StreamName } from "../runtime/runtime.ts";

interface Position {
  time: string;
  /** Entries with that time that have been read; many engines stamp coarsely. */
  ordinal: number;
}

/** Counts entries as they are delivered, and skips those that a reader who starts again has already. */
export class LogPosition {
  readonly #container: string;
  /** The last that was delivered, per stream. */
  readonly #seen: Partial<Record<StreamName, Position>> = {};
  /** Where the present reading is. */
  #at: Partial<Record<StreamName, Position>> = {};
  /** Streams of which it still repeats what was delivered before; beyond that even a clock set back loses no line. */
  readonly #repeating = new Set<StreamName>();

  constructor(container: string, after?: LogCursor) {
    this.#container = container;
    if (after?.stdout) this.#seen.stdout = after.stdout;
    if (after?.stderr) this.#seen.stderr = after.stderr;
  }

  /** Reads again from the engine: what it should start with (inclusive, as engines have it), if anything was delivered. */
  restart(): string | undefined {
    this.#at = {};
    if (this.#seen.stdout) this.#repeating.add("stdout");
    if (this.#seen.stderr) this.#repeating.add("stderr");
    const times = [this.#seen.stdout, this.#seen.stderr].flatMap((it) => (it ? [toSince(it.time)] : []));
    return times.sort(compareSince)[0];
  }

  /** Whether the entry is new; counts it either way. */
  advance({ stream, time }: LogEntry): boolean {
    const at = this.#at[stream];
    const here = { time, ordinal: at?.time === time ? at.ordinal + 1 : 1 };
    this.#at[stream] = here;
    if (this.#repeating.has(stream) && this.#repeats(stream, here)) return false;
    this.#seen[stream] = here;
    return true;
  }

  get cursor(): LogCursor {
    const { stdout, stderr } = this.#seen;
    return { container: this.#container, ...(stdout && { stdout }), ...(stderr && { stderr }) };
  }

  /** Whether it was delivered before; notices the last such entry. */
  #repeats(stream: StreamName, here: Position): boolean {
    const seen = this.#seen[stream];
    const order = seen ? compare(here, seen) : 1;
    if (order >= 0) this.#repeating.delete(stream);
    return order <= 0;
  }
}

function compare(a: Position, b: Position): number {
  if (a.time === b.time) return a.ordinal - b.ordinal;
  return compareSince(toSince(a.time), toSince(b.time));
}

/** RFC 3339 to `seconds.nanoseconds`: the only form of which engines keep every digit. */
export function toSince(time: string): string {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? "";
  const seconds = Math.floor(Date.parse(time.replace(/\.\d+/, "")) / 1000);
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}

function compareSince(a: string, b: string): number {
  const [aSeconds = "", aNanos = ""] = a.split(".");
  const [bSeconds = "", bNanos = ""] = b.split(".");
  return Number(aSeconds) - Number(bSeconds) || Number(aNanos) - Number(bNanos);
}
