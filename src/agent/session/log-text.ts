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

interface Run {
  stream: StreamName;
  /** Valid until the next run is asked for. */
  bytes: Uint8Array;
}

export class LogText {
  readonly #grep: Buffer | undefined;
  readonly #timestamps: boolean;
  /** The beginning of a line whose end has not come, per stream. */
  readonly #open: Record<StreamName, LogEntry[]> = { stdout: [], stderr: [] };
  readonly #inLine: Record<StreamName, boolean> = { stdout: false, stderr: false };
  /** Holds one run after the other: new memory for each would be the reader's largest garbage. */
  #page = Buffer.alloc(0);

  constructor({ grep, timestamps }: Pick<LogsBody, "grep" | "timestamps">) {
    this.#grep = grep ? Buffer.from(grep) : undefined;
    this.#timestamps = timestamps;
  }

  /** Runs of one stream each, in order. */
  *render(entries: LogEntry[]): Generator<Run, void, void> {
    const wanted = this.#grep ? entries.flatMap((entry) => this.#search(entry)) : entries;
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
    const parts = this.#open[entry.stream];
    parts.push(entry);
    const length = parts.reduce((sum, { bytes }) => sum + bytes.length, 0);
    if (entry.bytes.at(-1) !== NEWLINE && length < MAX_SEARCHED) return [];
    this.#open[entry.stream] = [];
    return Buffer.concat(parts.map(({ bytes }) => bytes)).includes(this.#grep ?? "") ? parts : [];
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
