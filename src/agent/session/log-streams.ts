/** The logs that are being followed: those who have come to the same place of a log share one reading of it. */

import type { LogEntry, Runtime } from "../runtime/runtime.ts";
import type { LogPosition } from "./log-cursor.ts";
import { readFrom } from "./log-reopen.ts";
import { type LogListener, LogStream } from "./log-stream.ts";

/** Where a follower starts: at its place, or wherever the engine says that a log so far back begins. */
export type LogStart = { from: string } | { tail?: number; since?: string };

export class LogStreams {
  readonly #runtime: Runtime;
  /** By container, the oldest first; those that began at a place by that as well. */
  readonly #open = new Map<string, { stream: LogStream; from: string | undefined }[]>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /**
   * Every entry of both streams from `start` on, as they are written; `position` is to be kept up to date with each batch.
   * Reads alone until it has come to where somebody reads already, and goes on there: the order of entries is the
   * engine's, so what comes behind the same entry is the same. Throws LogInterrupted, the signal's reason, or as the runtime does.
   */
  async *follow(
    id: string,
    start: LogStart,
    { position, signal }: { position: LogPosition; signal: AbortSignal },
  ): AsyncGenerator<LogEntry[], void, undefined> {
    let listener = this.#begin(id, start);
    const wake = () => listener.stream.wake();
    signal.addEventListener("abort", wake, { once: true });
    try {
      for (;;) {
        listener = this.#elder(id, listener, position);
        const batch = await listener.next(signal);
        // Looked for once more: an older stream that was not here yet is so by the time of the next batch, which it has too.
        const elder = this.#elder(id, listener, position);
        if (elder === listener && !batch) return;
        if (elder === listener && batch) yield batch;
        listener = elder;
      }
    } finally {
      signal.removeEventListener("abort", wake);
      listener.leave();
    }
  }

  /** Where the same entry was read before by somebody who began earlier; otherwise where the follower is. */
  #elder(id: string, listener: LogListener, { place }: LogPosition): LogListener {
    for (const { stream } of place ? (this.#open.get(id) ?? []) : []) {
      if (stream === listener.stream) break;
      const found = place && stream.listenAfter(place);
      if (!found) continue;
      listener.leave();
      return found;
    }
    return listener;
  }

  /** Those who lost a stream together begin the next one together. */
  #begin(id: string, start: LogStart): LogListener {
    const from = "from" in start ? start.from : undefined;
    const open = this.#open.get(id) ?? [];
    const same = open.find((it) => from !== undefined && it.from === from)?.stream.listen();
    if (same) return same;
    const stop = new AbortController();
    const stream: LogStream = new LogStream(this.#read(id, start, stop.signal), () => {
      stop.abort();
      this.#forget(id, stream);
    });
    this.#open.set(id, [...open, { stream, from }]);
    const listener = stream.listen();
    if (!listener) throw new Error("a stream that has just begun has its beginning");
    return listener;
  }

  #read(id: string, start: LogStart, signal: AbortSignal): AsyncIterable<LogEntry[]> {
    const options = { follow: true, stdout: true, stderr: true };
    if ("from" in start) return readFrom(this.#runtime, { id, ...start }, signal);
    return this.#runtime.logs(id, { ...options, ...start }, signal);
  }

  #forget(id: string, stream: LogStream): void {
    const left = (this.#open.get(id) ?? []).filter((it) => it.stream !== stream);
    if (left.length > 0) this.#open.set(id, left);
    else this.#open.delete(id);
  }
}
