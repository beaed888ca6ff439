/** A container's log as a stream of entries. */

import { type LogEntry, type LogOptions, RuntimeError } from "../runtime.ts";
import { rawInspect } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";
import { logParser } from "./log-lines.ts";
import { query } from "./wire-head.ts";

/** One batch per read from the engine. Throws the signal's reason as soon as it is aborted. */
export async function* containerLogs(
  engine: Engine,
  id: string,
  { options, signal }: { options: LogOptions; signal: AbortSignal },
): AsyncGenerator<LogEntry[], void, undefined> {
  const parser = logParser((await rawInspect(engine, id, signal)).Config.Tty);
  const path = `/containers/${id}/logs?${logQuery(options)}`;
  const wire = await engine.stream({ method: "GET", path }, signal);
  try {
    for await (const chunk of wire.body()) {
      const entries = parser.push(chunk);
      if (entries.length > 0) yield entries;
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

/** `since` and `until` stay the strings they are: as numbers they would lose nanoseconds, and with them lines. */
function logQuery(options: LogOptions): string {
  const { follow, stdout, stderr, tail, since, until } = options;
  return query({ follow, stdout, stderr, timestamps: true, tail: tail ?? "all", since, until });
}
