/** What a reader of a log gets to see: whole lines that contain what was asked for, stamped if that was asked for. */

import type { LogsBody } from "../../protocol/open.ts";
import type { LogEntry, StreamName } from "../runtime/runtime.ts";

/** Of a line longer than this only the beginning is searched, in bytes. */
const MAX_SEARCHED = 1_048_576;
const NEWLINE = 10;
/** An entry's time, which has 64 bytes at most, and a space. */
const STAMP = 65;
/** A longer run is held no longer than it is needed, in bytes. */
const MAX_PAGE = 262_144;

/** One that has begun. */
interface Line {
  /** Not shown yet. */
  parts: LogEntry[];
  /** Whether it contains what was asked for, once that is known. */
  wanted?: boolean;
}

interface Run {
  stream: StreamName;
  /** Valid until the next run is asked for. */
  bytes: Uint8Array;
}

export class LogText {
  readonly #grep: Buffer | undefined;
  readonly #timestamps: boolean;
  readonly #lines: Record<StreamName, Line> = { stdout: { parts: [] }, stderr: { parts: [] } };
  readonly #inLine: Record<StreamName, boolean> = { stdout: false, stderr: false };
  /** Holds one run after the other: new memory for each would be the reader's largest garbage. */
  #page = Buffer.alloc(0);

  constructor({ grep, timestamps }: Pick<LogsBody, "grep" | "timestamps">) {
    this.#grep = grep ? Buffer.from(grep) : undefined;
    this.#timestamps = timestamps;
  }

  /** Runs of one stream each, in order. */
  *render(entries: LogEntry[]): Generator<Run, void, void> {
    yield* this.#runs(this.#grep ? entries.flatMap((entry) => this.#search(entry)) : entries);
  }

  /** The log ends here: what is left of it, lines without an end. */
  *end(): Generator<Run, void, void> {
    for (const { parts } of Object.values(this.#lines)) if (this.#matches(parts)) yield* this.#runs(parts);
  }

  *#runs(wanted: LogEntry[]): Generator<Run, void, void> {
    let from = 0;
    for (let i = 1; i <= wanted.length; i += 1) {
      const stream = wanted[from]?.stream;
      if (!stream || wanted[i]?.stream === stream) continue;
      yield { stream, bytes: this.#join(wanted.slice(from, i)) };
      from = i;
    }
  }

  /** Holds parts back until their line is complete, or too long to search whole. */
  #search(entry: LogEntry): LogEntry[] {
    const { stream, bytes } = entry;
    const ends = bytes.at(-1) === NEWLINE;
    const line = this.#lines[stream];
    const parts = [...line.parts, entry];
    const length = parts.reduce((sum, part) => sum + part.bytes.length, 0);
    if (line.wanted === undefined && !ends && length < MAX_SEARCHED) {
      this.#lines[stream] = { parts };
      return [];
    }
    const wanted = line.wanted ?? this.#matches(parts);
    this.#lines[stream] = ends ? { parts: [] } : { parts: [], wanted };
    return wanted ? parts : [];
  }

  #matches(parts: LogEntry[]): boolean {
    return Buffer.concat(parts.map(({ bytes }) => bytes)).includes(this.#grep ?? "");
  }

  #join(entries: LogEntry[]): Uint8Array {
    const stamp = this.#timestamps ? STAMP : 0;
    const page = this.#blank(entries.reduce((sum, { bytes }) => sum + stamp + bytes.length, 0));
    let end = 0;
    for (const { stream, time, bytes } of entries) {
      if (this.#timestamps && !this.#inLine[stream]) end += page.write(`${time} `, end, "latin1");
      this.#inLine[stream] = bytes.at(-1) !== NEWLINE;
      page.set(bytes, end);
      end += bytes.length;
    }
    return page.subarray(0, end);
  }

  #blank(size: number): Buffer {
    if (size > MAX_PAGE) return Buffer.allocUnsafeSlow(size);
    if (size > this.#page.length) this.#page = Buffer.allocUnsafeSlow(size);
    return this.#page;
  }
}
