/** Cuts the engine's log stream into entries: the time stamp off, the line's bytes as they are. */

import { type LogEntry, RuntimeError } from "../runtime.ts";
import { Demux, type DemuxStream } from "./demux.ts";
import { quote } from "./errors.ts";

/** The engine cuts a line's content here. */
const PART_SIZE = 16 * 1024;
/** What other engines leave whole is cut here, so that memory is bounded and the cuts are the same each time. */
const MAX_ENTRY = 1024 * 1024;
/** "2026-11-21T04:03:04.390724094+01:00" is 35 bytes. */
const MAX_STAMP = 64;
const SPACE = 32;
const LF = 10;
/** "2026-11-21T": what the fifth and the eleventh byte of a stamp are. */
const DASH = 45;
const T = 84;

export interface LogParser {
  /** The entries that are complete; their bytes may be views into what was pushed. */
  push(chunk: Buffer): LogEntry[];
  /** At the end of the stream: what a terminal left without a newline. Throws when a frame is cut off. */
  end(): LogEntry[];
}

export function logParser(framed: boolean): LogParser {
  return framed ? new FramedLines() : new TerminalLines();
}

/** Multiplexed: a frame is a line, or a part of a long one. A frame that arrives in several chunks is put together. */
class FramedLines implements LogParser {
  readonly #demux = new Demux((stream, bytes, left) => this.#take(stream, bytes, left));
  #entries: LogEntry[] = [];
  #parts: Buffer[] = [];
  #size = 0;
  /** Of the frame whose first MAX_ENTRY bytes are delivered already. */
  #time = "";

  push(chunk: Buffer): LogEntry[] {
    this.#entries = [];
    this.#demux.push(chunk);
    return this.#entries;
  }

  end(): LogEntry[] {
    this.#demux.end();
    return [];
  }

  #take(stream: DemuxStream, bytes: Buffer, left: number): void {
    if (left === 0 && this.#size === 0) return this.#add(stream, bytes, true);
    this.#parts.push(bytes);
    this.#size += bytes.length;
    if (left > 0 && this.#size <= MAX_ENTRY) return;
    let whole = Buffer.concat(this.#parts);
    for (; whole.length > MAX_ENTRY; whole = whole.subarray(MAX_ENTRY)) {
      this.#add(stream, whole.subarray(0, MAX_ENTRY), false);
    }
    this.#parts = left > 0 ? [whole] : [];
    this.#size = left > 0 ? whole.length : 0;
    if (left === 0) this.#add(stream, whole, true);
  }

  #add(stream: DemuxStream, bytes: Buffer, last: boolean): void {
    if (stream === "engine") throw new RuntimeError("engine-error", quote(bytes.toString()));
    if (this.#time === "") {
      const length = stampLength(bytes);
      this.#time = bytes.toString("latin1", 0, length);
      bytes = bytes.subarray(length + 1);
    }
    this.#entries.push({ stream, time: this.#time, bytes });
    if (last) this.#time = "";
  }
}

/** A terminal's log is not multiplexed: lines follow each other, and each part of a long one repeats its stamp. */
class TerminalLines implements LogParser {
  #rest: Buffer = Buffer.alloc(0);
  /** "stamp " of the line whose first part is delivered already. */
  #stamp: Buffer | undefined;

  push(chunk: Buffer): LogEntry[] {
    const entries: LogEntry[] = [];
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    for (let used = this.#cut(bytes, entries); used > 0; used = this.#cut(bytes, entries)) {
      bytes = bytes.subarray(used);
    }
    this.#rest = bytes;
    return entries;
  }

  end(): LogEntry[] {
    const rest = this.#rest;
    if (rest.length === 0) return [];
    const stamp = this.#stamp ?? rest.subarray(0, stampLength(rest) + 1);
    const from = startsWith(rest, stamp) ? stamp.length : 0;
    return [{ stream: "stdout", time: timeOf(stamp), bytes: rest.subarray(from) }];
  }

  /** Adds the first entry of `bytes` if it is complete; returns how many bytes it took, 0 for "not yet". */
  #cut(bytes: Buffer, entries: LogEntry[]): number {
    if (bytes.length < (this.#stamp?.length ?? MAX_STAMP) && !bytes.includes(LF)) return 0;
    const stamp = this.#stamp ?? bytes.subarray(0, stampLength(bytes) + 1);
    const from = startsWith(bytes, stamp) ? stamp.length : 0;
    const newline = bytes.indexOf(LF, from);
    const full = from + PART_SIZE;
    let to = newline + 1;
    if (newline < 0 || newline > full) {
      if (bytes.length < full + stamp.length) return 0;
      if (startsWith(bytes.subarray(full), stamp)) to = full;
      else if (newline < 0 && bytes.length < from + MAX_ENTRY) return 0;
      else if (newline < 0 || newline >= from + MAX_ENTRY) to = from + MAX_ENTRY;
    }
    entries.push({ stream: "stdout", time: timeOf(stamp), bytes: bytes.subarray(from, to) });
    this.#stamp = bytes[to - 1] === LF ? undefined : Buffer.from(stamp);
    return to;
  }
}

function startsWith(bytes: Buffer, prefix: Buffer): boolean {
  return bytes.subarray(0, prefix.length).equals(prefix);
}

function timeOf(stamp: Buffer): string {
  return stamp.toString("latin1", 0, stamp.length - 1);
}

/** Throws when there is none: then this is not the stream that was asked for. */
function stampLength(bytes: Buffer): number {
  const end = bytes.indexOf(SPACE);
  const isStamp = end > 0 && end <= MAX_STAMP && bytes[4] === DASH && bytes[10] === T;
  if (!isStamp) throw new RuntimeError("engine-error", "A log line of the engine has no time stamp.");
  return end;
}
