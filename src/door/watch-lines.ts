/** Turns values that change into lines of JSON that never outrun their reader. */

import { aborted } from "../lib/wait.ts";
import type { FairleadError } from "../protocol/errors.ts";
import { problemOf } from "./problems.ts";

/** A line without anything on it: the stream is alive, and a reader of NDJSON skips it. */
const HEARTBEAT = "\n";

export interface WatchOptions {
  heartbeatMs: number;
  /** Ends the stream; its reason is told on the last line. */
  signal: AbortSignal;
  /** Puts anything thrown into words for people. */
  understand: (error: unknown) => FairleadError;
  /** The id of the request that this answers. */
  request: string;
}

/**
 * One whole value a line. Nothing is asked of `changes` before the reader took the line before. When it ends
 * for a reason, the last line is a problem document.
 */
export async function* watchLines(changes: AsyncIterable<object>, options: WatchOptions): AsyncGenerator<string> {
  const iterator = changes[Symbol.asyncIterator]();
  const ended = aborted(options.signal).then(() => "ended" as const);
  try {
    let next = iterator.next();
    for (;;) {
      const result = await sooner([ended, next], options.heartbeatMs);
      if (result === "silence") {
        yield HEARTBEAT;
        continue;
      }
      if (result === "ended" || result.done) break;
      yield line(result.value);
      next = iterator.next();
    }
    if (options.signal.aborted) yield line(problemOf(options.understand(options.signal.reason), options.request));
  } catch (error) {
    const told = options.understand(options.signal.aborted ? options.signal.reason : error);
    yield line(problemOf(told, options.request));
  } finally {
    // Not awaited: a source that is stuck must not keep the reader's connection.
    iterator.return?.().catch(() => undefined);
  }
}

/** The first of these to settle, or `silence` after so many milliseconds. */
async function sooner<A, B>(these: [Promise<A>, Promise<B>], ms: number): Promise<A | B | "silence"> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<"silence">((resolve) => {
    timer = setTimeout(resolve, ms, "silence");
  });
  try {
    return await Promise.race([...these, silence]);
  } finally {
    clearTimeout(timer);
  }
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}
