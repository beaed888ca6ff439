/** A container's log: written once by the engine, read from a position that survives everything in between. */

import { wait } from "../../lib/wait.ts";
import type { LogsBody } from "../../protocol/open.ts";
import type { ExitStatus } from "../../protocol/packet.ts";
import type { LogEntry, LogOptions, Runtime, StreamName } from "../runtime/runtime.ts";
import { LogPosition } from "./log-cursor.ts";
import { type SessionIo, toFairleadError } from "./session.ts";

export interface LogTools {
  runtime: Runtime;
  /** Resolves when the engine answers, or the signal is aborted. */
  engineReady: (signal: AbortSignal) => Promise<void>;
}

/** Between two attempts to go on with a follow that broke off, in milliseconds. */
const RETRY_MS = 250;
/** Of a line longer than this only the beginning is searched, in bytes. */
const MAX_SEARCHED = 1_048_576;

/** Ends after the last line, or when a followed container stops. A follow outlives the engine's absence. */
export async function serveLogs(io: SessionIo, id: string, body: LogsBody, tools: LogTools): Promise<ExitStatus> {
  const { tty } = await tools.runtime.inspect(id, io.signal);
  io.accept({ tty });
  const position = new LogPosition(id, body.after);
  const lines = new LineFilter(body);
  for (;;) {
    try {
      await readLogs(io, tools.runtime.logs(id, options(body, position.restart()), io.signal), { position, lines });
      return { code: 0 };
    } catch (error) {
      if (!body.follow || io.signal.aborted || toFairleadError(error).code !== "engine-unavailable") throw error;
      await wait(RETRY_MS, io.signal);
      await tools.engineReady(io.signal);
      io.signal.throwIfAborted();
    }
  }
}

interface Reading {
  position: LogPosition;
  lines: LineFilter;
}

async function readLogs(
  io: SessionIo,
  batches: AsyncIterable<LogEntry[]>,
  { position, lines }: Reading,
): Promise<void> {
  for await (const batch of batches) {
    for (const { stream, bytes } of lines.render(batch.filter((entry) => position.advance(entry))))
      await io.send({ type: stream, bytes });
    await io.send({ type: "cursor", cursor: position.cursor });
  }
}

function options(body: LogsBody, restartAt: string | undefined): LogOptions {
  const { follow, stdout, stderr, tail, until } = body;
  const since = restartAt ?? body.since;
  return {
    follow,
    stdout,
    stderr,
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
    ...(tail !== undefined && restartAt === undefined && { tail }),
  };
}

interface Run {
  stream: StreamName;
  bytes: Uint8Array;
}

const NEWLINE = 10;

/** Turns entries into text: whole lines that contain what was asked for, stamped if that was asked for. */
class LineFilter {
  readonly #grep: Buffer | undefined;
  readonly #timestamps: boolean;
  /** The beginning of a line whose end has not come, per stream. */
  readonly #open: Record<StreamName, LogEntry[]> = { stdout: [], stderr: [] };
  readonly #inLine: Record<StreamName, boolean> = { stdout: false, stderr: false };

  constructor(body: LogsBody) {
    this.#grep = body.grep ? Buffer.from(body.grep) : undefined;
    this.#timestamps = body.timestamps;
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
