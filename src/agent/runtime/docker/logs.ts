/** A container's log as a stream of entries. */

import type { HostConfig } from "dockerode";
import { type LogEntry, type LogOptions, RuntimeError } from "../runtime.ts";
import { rawInspect } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";
import { logParser } from "./log-lines.ts";
import { Rotation } from "./log-rotation.ts";
import { type Patience, PATIENCE, Silence } from "./log-silence.ts";
import { query } from "./wire-head.ts";

export interface LogRequest {
  options: LogOptions;
  signal: AbortSignal;
  /** With a follow that says nothing; default PATIENCE. */
  patience?: Patience;
}

/** One batch per read from the engine. Throws the signal's reason as soon as it is aborted. */
export async function* containerLogs(
  engine: Engine,
  id: string,
  { options, signal, patience = PATIENCE }: LogRequest,
): AsyncGenerator<LogEntry[], void, undefined> {
  const { Config, HostConfig } = await rawInspect(engine, id, signal);
  const log = { engine, id, tty: Config.Tty };
  if (!options.follow) return yield* entries(log, options, signal);
  const stop = new AbortController();
  const silence = new Silence((looking) => newest(log, options, looking), patience);
  const rotation = rotates(HostConfig) ? new Rotation() : undefined;
  void silence.broken(stop.signal).then((broken) => {
    if (broken) stop.abort(interrupted("The engine stopped delivering the log."));
  });
  try {
    const batches = entries(log, options, AbortSignal.any([signal, stop.signal]));
    yield* watched(batches, silence, rotation);
  } finally {
    stop.abort();
  }
}

interface Log {
  engine: Engine;
  id: string;
  tty: boolean;
}

async function* entries(
  { engine, id, tty }: Log,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[], void, undefined> {
  const parser = logParser(tty);
  const wire = await engine.stream({ method: "GET", path: `/containers/${id}/logs?${logQuery(options)}` }, signal);
  try {
    for await (const chunk of wire.body()) {
      const complete = parser.push(chunk);
      if (complete.length > 0) yield complete;
    }
    const last = parser.end();
    if (last.length > 0) yield last;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RuntimeError) throw error;
    throw new RuntimeError("engine-error", `The log cannot be read: ${describe(error)}.`, { cause: error });
  } finally {
    wire.destroy();
  }
}

/** Throws `engine-unavailable` when the engine may have skipped entries: what comes next has to be asked for anew. */
async function* watched(
  batches: AsyncIterable<LogEntry[]>,
  silence: Silence,
  rotation: Rotation | undefined,
): AsyncGenerator<LogEntry[], void, undefined> {
  let asked = performance.now();
  silence.ask();
  for await (const batch of batches) {
    silence.heard(batch);
    const given = performance.now();
    const taken = rotation?.take(batch, given - asked) ?? batch;
    if (taken.length > 0) yield taken;
    if (rotation?.suspect) throw interrupted("The engine rotated the log while its reader was held up.");
    asked = performance.now();
    rotation?.heldUp(asked - given);
    silence.ask();
  }
}

function interrupted(words: string): RuntimeError {
  return new RuntimeError("engine-unavailable", `${words} It has to be read again from its last known line.`);
}

async function newest(log: Log, { stdout, stderr }: LogOptions, signal: AbortSignal): Promise<LogEntry | undefined> {
  let last: LogEntry | undefined;
  for await (const batch of entries(log, { follow: false, stdout, stderr, tail: 1 }, signal)) last = batch.at(-1);
  return last;
}

/** Whether the engine removes what is old of this log. */
function rotates({ LogConfig }: HostConfig): boolean {
  const { Type: type, Config: config } = (LogConfig ?? {}) as { Type?: string; Config?: Record<string, string> | null };
  return type === "local" || (type === "json-file" && config?.["max-size"] !== undefined);
}

/** `since` and `until` stay the strings they are: as numbers they would lose nanoseconds, and with them lines. */
function logQuery(options: LogOptions): string {
  const { follow, stdout, stderr, tail, since, until } = options;
  return query({ follow, stdout, stderr, timestamps: true, tail: tail ?? "all", since, until });
}
