/** A container's log as a stream of entries. */

import type { HostConfig } from "dockerode";
import { type LogEntry, LogInterrupted, type LogOptions, RuntimeError } from "../runtime.ts";
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
  const dialect = await engine.dialect(signal);
  const log = { engine, id, api: dialect.logsApi, framed: !Config.Tty || dialect.framesTerminals };
  if (!options.follow) return yield* entries(log, options, signal);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const { stdout, stderr } = options;
  const now = { follow: false, stdout, stderr };
  const silence = new Silence((looking) => newest(entries(log, { ...now, tail: 1 }, looking)), patience);
  const look = (since: string, tail: number) => entries(log, { ...now, since, tail }, both);
  void silence.broken(stop.signal).then((broken) => {
    if (broken) stop.abort(new LogInterrupted("The engine stopped delivering the log."));
  });
  try {
    yield* watched(entries(log, options, both), silence, rotates(HostConfig) ? new Rotation(look) : undefined);
    if (dialect.losesRotatedLogs && options.until === undefined && (await silence.behind(both)))
      throw new LogInterrupted("The engine ended the log before its last line.");
  } finally {
    stop.abort();
  }
}

interface Log {
  engine: Engine;
  id: string;
  api: string;
  framed: boolean;
}

async function* entries(
  { engine, id, api, framed }: Log,
  options: LogOptions,
  signal: AbortSignal,
): AsyncGenerator<LogEntry[], void, undefined> {
  const parser = logParser(framed);
  const path = `/containers/${id}/logs?${logQuery(options)}`;
  const wire = await engine.stream({ method: "GET", path, api }, signal);
  try {
    for await (const chunk of wire.body()) {
      const complete = parser.push(wire.lasting ? chunk : Buffer.from(chunk));
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

async function* watched(
  batches: AsyncIterable<LogEntry[]>,
  silence: Silence,
  rotation: Rotation | undefined,
): AsyncGenerator<LogEntry[], void, undefined> {
  silence.ask();
  for await (const batch of batches) {
    silence.heard(batch);
    if (rotation) yield* rotation.whole(batch);
    else yield batch;
    silence.ask();
  }
}

async function newest(batches: AsyncIterable<LogEntry[]>): Promise<LogEntry | undefined> {
  let last: LogEntry | undefined;
  for await (const batch of batches) last = batch.at(-1);
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
