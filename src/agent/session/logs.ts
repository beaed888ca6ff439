/** A container's log: written once by the engine, read from a position that survives everything in between. */

import { toSince } from "../../lib/stamp.ts";
import { wait } from "../../lib/wait.ts";
import type { LogsBody } from "../../protocol/open.ts";
import type { ExitStatus } from "../../protocol/packet.ts";
import { type LogEntry, LogInterrupted, type Runtime } from "../runtime/runtime.ts";
import { LogPosition } from "./log-cursor.ts";
import type { LogStreams } from "./log-streams.ts";
import { LogText } from "./log-text.ts";
import { toFairleadError } from "./failure.ts";
import type { SessionIo } from "./io.ts";

export interface LogTools {
  runtime: Runtime;
  /** What all sessions follow together. */
  streams: LogStreams;
  /** Resolves when the engine answers, or the signal is aborted. */
  engineReady: (signal: AbortSignal) => Promise<void>;
}

/** Between two attempts to go on with a follow that broke off, in milliseconds. */
const RETRY_MS = 250;
/** Why the entry before a new one is not in the log any more. */
const ROTATED = "the engine had removed older lines of its log before they could be read";

/** Ends after the last line, or when a followed container stops. A follow outlives the engine's absence. */
export async function serveLogs(io: SessionIo, id: string, body: LogsBody, tools: LogTools): Promise<ExitStatus> {
  const { tty } = await tools.runtime.inspect(id, io.signal);
  io.accept({ tty });
  const position = new LogPosition(id, body.after);
  const reading: Reading = { id, body, start: startOf(body), position, text: new LogText(body) };
  const opened = toSince(new Date().toISOString());
  for (;;) {
    try {
      await deliver(io, reading, read(io, reading, tools));
      return { code: 0 };
    } catch (error) {
      if (!body.follow || !(await mayGoOn(io, error, tools))) throw error;
      // Whoever wanted nothing that was there before gets what came since, also if nothing had come yet.
      if (body.tail === 0) reading.start = { since: opened };
    }
  }
}

interface Reading {
  id: string;
  body: LogsBody;
  /** Where the log begins for this reader. */
  start: { tail?: number; since?: string };
  position: LogPosition;
  text: LogText;
}

function startOf({ tail, since }: LogsBody): Reading["start"] {
  return { ...(tail !== undefined && { tail }), ...(since !== undefined && { since }) };
}

/** From the position on. A follow is shared with everyone who has come to the same place; one with an end is not. */
function read(io: SessionIo, reading: Reading, { runtime, streams }: LogTools): AsyncIterable<LogEntry[]> {
  const { id, position, start } = reading;
  const { follow, stdout, stderr, until } = reading.body;
  const from = position.restart();
  const { signal } = io;
  if (follow && until === undefined && (stdout || stderr))
    return streams.follow(id, from === undefined ? start : { from }, { position, signal });
  const options = { follow, stdout, stderr, ...(until !== undefined && { until }) };
  return runtime.logs(id, { ...options, ...(from === undefined ? start : { since: from }) }, signal);
}

async function deliver(
  io: SessionIo,
  { body, position, text }: Reading,
  batches: AsyncIterable<LogEntry[]>,
): Promise<void> {
  for await (const batch of batches) {
    const entries = batch.filter((entry) => body[entry.stream] && position.advance(entry));
    const gap = position.takeGap();
    if (gap) await io.send({ type: "gap", gap: { ...gap, why: ROTATED } });
    for (const { stream, bytes } of text.render(entries)) await io.send({ type: stream, bytes });
    // A line that is searched is shown whole or not at all, so whoever goes on begins with the whole of it.
    const cursor = body.grep ? position.lineCursor : position.cursor;
    if (entries.length > 0) await io.send({ type: "cursor", cursor });
  }
  for (const { stream, bytes } of text.end()) {
    await io.send({ type: stream, bytes });
    await io.send({ type: "cursor", cursor: position.cursor });
  }
}

/** Whether the log can be read on from the position; waits until the engine is there. Throws the signal's reason. */
async function mayGoOn(io: SessionIo, error: unknown, { engineReady }: LogTools): Promise<boolean> {
  io.signal.throwIfAborted();
  if (error instanceof LogInterrupted) return true;
  if (toFairleadError(error).code !== "engine-unavailable") return false;
  await wait(RETRY_MS, io.signal);
  await engineReady(io.signal);
  io.signal.throwIfAborted();
  return true;
}
