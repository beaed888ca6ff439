/** A log that is being followed, read again from a moment on. */

import type { LogEntry, LogOptions, Runtime } from "../runtime/runtime.ts";
import { compareSince, toSince } from "../../lib/stamp.ts";

/** So many lines from the end are tried first: an engine finds those at once, but a moment only by reading all before it. */
const TAILS = [1_000, 30_000];

const FOLLOW: LogOptions = { follow: true, stdout: true, stderr: true };

/** Everything from the first entry at or after `from` on, as `since` would have it. Throws as the runtime does. */
export async function* readFrom(
  runtime: Runtime,
  { id, from }: { id: string; from: string },
  signal: AbortSignal,
): AsyncGenerator<LogEntry[], void, undefined> {
  for (const tail of TAILS) {
    const batches = runtime.logs(id, { ...FOLLOW, tail }, signal)[Symbol.asyncIterator]();
    try {
      const first = await batches.next();
      // With an entry from before the moment, everything after it is there as well.
      if (!first.done && isBefore(first.value[0], from)) return yield* skipTo(from, first.value, batches);
    } finally {
      await batches.return?.();
    }
  }
  yield* runtime.logs(id, { ...FOLLOW, since: from }, signal);
}

async function* skipTo(
  from: string,
  first: LogEntry[],
  rest: AsyncIterator<LogEntry[]>,
): AsyncGenerator<LogEntry[], void, undefined> {
  let skipping = true;
  for (let batch: LogEntry[] | undefined = first; batch; batch = await following(rest)) {
    const at = skipping ? batch.findIndex((entry) => !isBefore(entry, from)) : 0;
    if (at < 0) continue;
    skipping = false;
    yield at > 0 ? batch.slice(at) : batch;
  }
}

async function following(rest: AsyncIterator<LogEntry[]>): Promise<LogEntry[] | undefined> {
  const { value, done } = await rest.next();
  return done ? undefined : value;
}

function isBefore(entry: LogEntry | undefined, moment: string): boolean {
  return entry !== undefined && compareSince(toSince(entry.time), moment) < 0;
}
