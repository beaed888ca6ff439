/**
 * Entries that a followed log has twice when its file is rotated: Docker 20.10 then takes the new, shorter file for
 * one that was cut off, and reads it from its beginning again.
 */

import type { LogEntry } from "../runtime.ts";

/** Entries of a stream that are remembered to recognise those that come again. */
const REMEMBERED = 4096;
const LF = 10;

export class Repeats {
  readonly #past = { stdout: new Past(), stderr: new Past() };

  /** Whether the entry, the next that was read, comes for the first time. */
  isNew(entry: LogEntry): boolean {
    const own = this.#past[entry.stream];
    const back = own.goesBack(entry);
    if (back) own.begin();
    const isNew = own.add(entry);
    // Whatever line the other stream was in the middle of, the engine comes to its beginning again.
    if (back && !isNew) this.#past[entry.stream === "stdout" ? "stderr" : "stdout"].begin();
    return isNew;
  }
}

/** What was read of one stream. */
class Past {
  /** Of the entries that came for the first time, in their order. */
  #times: string[] = [];
  /** The entry that was read last, one that came again too, and which of those with its time it was. */
  #last: (LogEntry & { ordinal: number }) | undefined;

  /** Whether the entry comes for the first time; remembers it. */
  add(entry: LogEntry): boolean {
    const ordinal = this.#last?.time === entry.time ? this.#last.ordinal + 1 : 1;
    const repeated = entry.time <= (this.#times.at(-1) ?? "") && ordinal <= this.#count(entry.time);
    this.#last = { ...entry, ordinal };
    if (repeated) return false;
    this.#times.push(entry.time);
    if (this.#times.length > 2 * REMEMBERED) this.#times = this.#times.slice(REMEMBERED);
    return true;
  }

  /** The parts of a long line share a time; a whole line with the time of the last is that line again, if clocks are fine enough. */
  goesBack({ time, bytes }: LogEntry): boolean {
    const last = this.#last;
    if (last?.time !== time) return last !== undefined && time < last.time;
    return last.bytes.at(-1) === LF && isFine(time) && Buffer.compare(last.bytes, bytes) === 0;
  }

  /** What comes next does not continue a line. */
  begin(): void {
    this.#last = undefined;
  }

  #count(time: string): number {
    return this.#times.reduce((count, other) => count + (other === time ? 1 : 0), 0);
  }
}

/** Stamped to less than a microsecond, which is less than it takes the engine to write a line. */
function isFine(time: string): boolean {
  return (/\.\d{6}(\d{3})/.exec(time)?.[1] ?? "000") !== "000";
}
