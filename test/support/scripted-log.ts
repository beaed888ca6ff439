/** A container's log in memory, read as an engine lets it be read, that a test can break off, silence and rotate. */

import { type LogEntry, type LogOptions, RuntimeError, type StreamName } from "../../src/agent/runtime/runtime.ts";
import { compareSince, toSince } from "../../src/lib/stamp.ts";

/** Seconds since 1970 of the first entry. */
const BEGIN = 1_750_000_000;

export interface ScriptedLogOptions {
  /** How many entries share a time, as engines have it that stamp coarsely. */
  perStamp?: number;
  /** At most so many entries in a batch. */
  batch?: number;
}

interface Reading {
  state: "read" | "broken" | "silent";
  wake: () => void;
}

export class ScriptedLog {
  /** Everything that was ever written. */
  readonly entries: LogEntry[] = [];
  readonly perStamp: number;
  readonly #batch: number;
  readonly #readings = new Set<Reading>();
  #removed = 0;
  #opened = 0;

  constructor({ perStamp = 1, batch = 10 }: ScriptedLogOptions = {}) {
    this.perStamp = perStamp;
    this.#batch = batch;
  }

  /** How many readings are open now. */
  get readings(): number {
    return this.#readings.size;
  }

  /** How many there have been. */
  get opened(): number {
    return this.#opened;
  }

  write(text: string, stream: StreamName = "stdout"): void {
    const stamp = Math.floor(this.entries.length / this.perStamp);
    const time = `${new Date((BEGIN + Math.floor(stamp / 1000)) * 1000).toISOString().slice(0, 19)}.${String(stamp % 1000).padStart(9, "0")}Z`;
    this.entries.push({ stream, time, bytes: Buffer.from(text) });
    this.#wakeAll();
  }

  /** All but so many entries are gone for whoever opens the log from now on. */
  rotate(left: number): void {
    this.#removed = Math.max(this.#removed, this.entries.length - left);
  }

  /** Ends every reading as an engine does that goes away. */
  breakOff(): void {
    for (const reading of this.#readings) reading.state = "broken";
    this.#wakeAll();
  }

  /** Every reading that is open gets nothing more, and is not told. */
  silence(): void {
    for (const reading of this.#readings) reading.state = "silent";
  }

  async *logs(options: LogOptions, signal: AbortSignal): AsyncGenerator<LogEntry[], void, undefined> {
    const reading: Reading = { state: "read", wake: () => {} };
    const wake = () => reading.wake();
    const { follow, tail, since } = options;
    this.#readings.add(reading);
    this.#opened += 1;
    signal.addEventListener("abort", wake);
    let at = Math.max(this.#removed, tail === undefined ? 0 : this.entries.length - tail);
    try {
      for (;;) {
        signal.throwIfAborted();
        if (reading.state === "broken") throw new RuntimeError("engine-unavailable", "The engine went away.");
        const batch = reading.state === "read" ? this.entries.slice(at, at + this.#batch) : [];
        at += batch.length;
        const wanted = batch.filter((entry) => options[entry.stream] && !isBefore(entry, since));
        if (wanted.length > 0) yield wanted;
        else if (batch.length === 0 && !follow) return;
        else if (batch.length === 0) await new Promise<void>((resolve) => (reading.wake = resolve));
        await new Promise(setImmediate);
      }
    } finally {
      signal.removeEventListener("abort", wake);
      this.#readings.delete(reading);
    }
  }

  #wakeAll(): void {
    for (const { wake } of this.#readings) wake();
  }
}

function isBefore({ time }: LogEntry, since: string | undefined): boolean {
  return since !== undefined && compareSince(toSince(time), since) < 0;
}
