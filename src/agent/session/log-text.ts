/** What a reader of a log gets to see: whole lines that contain what was asked for, stamped if that was asked for. */

import type { LogsBody } from "../../protocol/open.ts";
import type { LogEntry, StreamName } from "../runtime/runtime.ts";

/** Of a line longer than this only the beginning is searched, in bytes. */
const MAX_SEARCHED = 1_048_576;
const NEWLINE = 10;

interface Run {
  stream: StreamName;
  bytes: Uint8Array;
}

export class LogText {
  readonly #grep: Buffer | undefined;
  readonly #timestamps: boolean;
  /** The beginning of a line whose end has not come, per stream. */
  readonly #open: Record<StreamName, LogEntry[]> = { stdout: [], stderr: [] };
  readonly #inLine: Record<StreamName, boolean> = { stdout: false, stderr: false };

  constructor({ grep, timestamps }: Pick<LogsBody, "grep" | "timestamps">) {
    this.#grep = grep ? Buffer.from(grep) : undefined;
    this.#timestamps = timestamps;
  }

  /** Runs of one stream each, in order. */
  render(entries: LogEntry[]): Run[] {
    const wanted = this.#grep ? entries.flatMap((entry) => this.#search(entry)) : entries;
    const runs: Run[] = [];
    let from = 0;
    for (let i = 1; i <= wanted.length; i += 1) {
      const stream = wanted[from]?.stream;
      if (!stream || wanted[i]?.stream === stream) continue;
      runs.push({ stream, bytes: this.#join(wanted.slice(from, i)) });
      from = i;
    }
    return runs;
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
    if (!this.#timestamps) return Buffer.concat(entries.map(({ bytes }) => bytes));
    return Buffer.concat(entries.flatMap((entry) => this.#stamped(entry)));
  }

  #stamped({ stream, time, bytes }: LogEntry): Uint8Array[] {
    const continues = this.#inLine[stream];
    this.#inLine[stream] = bytes.at(-1) !== NEWLINE;
    return continues ? [bytes] : [Buffer.from(`${time} `), bytes];
  }
}
