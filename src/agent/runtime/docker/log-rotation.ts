/**
 * A followed log whose files the engine rotates. Dockers before 25 then deliver entries twice, because they take the
 * new, shorter file for one that was cut off; and they skip whole files when their reader was held up meanwhile.
 */

import type { LogEntry } from "../runtime.ts";

/** Entries of a stream that are remembered to recognise those that come twice. */
const REMEMBERED = 4096;
/** Milliseconds that the reader lets the engine wait, in sum, before that can skip files. */
const HELD_UP = 100;
/** So many entries wait in an engine before it is held up itself; it has room for four times as many. */
const WAITING = 1_000;
/** Whoever is closer than this to the present, in milliseconds, or had to wait for so long, has caught up. */
const CAUGHT_UP = 100;
/** Milliseconds between two entries that may hide skipped files. */
const JUMP = 50;
const LF = 10;

export class Rotation {
  readonly #past = { stdout: new Past(), stderr: new Past() };
  readonly #began = Date.now();
  /** Since the reader had last caught up: milliseconds, and entries that were read. */
  #behind = { ms: 0, entries: 0 };
  /** Of the last entry, in milliseconds since 1970. */
  #time: number | undefined;
  #suspect = false;

  /** After what was taken last there may be entries missing: it has to be read again from there. */
  get suspect(): boolean {
    return this.#suspect;
  }

  /** So many milliseconds went by in which the reader did not ask for more. */
  heldUp(ms: number): void {
    this.#behind.ms += ms;
  }

  /** The entries that are new, up to where some may be missing; they came after a wait of so many milliseconds. */
  take(entries: LogEntry[], waited: number): LogEntry[] {
    if (waited > CAUGHT_UP) this.#behind = { ms: 0, entries: 0 };
    const fresh = entries.filter((entry) => this.#isNew(entry));
    const jump = this.#jump(fresh);
    this.#suspect = jump >= 0;
    const taken = this.#suspect ? fresh.slice(0, jump) : fresh;
    this.#behind.entries += taken.length;
    const last = taken.at(-1);
    if (!last) return taken;
    this.#time = Date.parse(last.time);
    if (Date.now() - this.#time < CAUGHT_UP) this.#behind = { ms: 0, entries: 0 };
    return taken;
  }

  #isNew(entry: LogEntry): boolean {
    const own = this.#past[entry.stream];
    const back = own.goesBack(entry);
    if (back) own.begin();
    const isNew = own.add(entry);
    // Whatever line the other stream was in the middle of, the engine comes to its beginning again.
    if (back && !isNew) this.#past[entry.stream === "stdout" ? "stderr" : "stdout"].begin();
    return isNew;
  }

  /** The first entry that was written since the follow began and does not follow closely on the one before; -1 for none. */
  #jump(entries: LogEntry[]): number {
    const { ms, entries: before } = this.#behind;
    if (ms < HELD_UP) return -1;
    let last = this.#time;
    return entries.findIndex(({ time }, i) => {
      const now = Date.parse(time);
      const far = last !== undefined && Math.abs(now - last) > JUMP;
      last = now;
      return far && before + i >= WAITING && now > this.#began;
    });
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
