/** One reading of a container's log, for everyone who follows it from the same place on. */

import { type LogEntry, LogInterrupted } from "../runtime/runtime.ts";
import type { LogPlace } from "./log-cursor.ts";

/** What was read is kept for followers who have not come to it, up to so many bytes: whoever falls further behind reads on alone. */
const MAX_WAITING = 4_194_304;
/** Whoever is further behind than this, in bytes, does not join: the others would leave them behind again at once. */
const MAX_LAG = MAX_WAITING / 2;
/** So much is kept that everybody has, in bytes, for those who come to the same place. */
const RECENT = 65_536;
/** However large they are: whoever has come to the end of one finds it here until the next one has been read. */
const MIN_BATCHES = 2;
/** What an entry costs beside its bytes. */
const ENTRY_COST = 200;

/** The next entry of a follower: batches are numbered from the beginning of the reading. */
interface Next {
  batch: number;
  entry: number;
}

export class LogStream {
  readonly #source: AsyncIterator<LogEntry[]>;
  readonly #close: () => void;
  /** The newest batches; the first of them has the number `#first`. */
  #recent: LogEntry[][] = [];
  #first = 0;
  #size = 0;
  readonly #listeners = new Set<LogListener>();
  #reading = false;
  #closed = false;
  #end: { error?: unknown } | undefined;
  #news = news();

  /** `close` ends the reading; it is called when nobody listens any more. */
  constructor(batches: AsyncIterable<LogEntry[]>, close: () => void) {
    this.#source = batches[Symbol.asyncIterator]();
    this.#close = close;
  }

  /** Nothing more comes, or everybody has left. */
  get over(): boolean {
    return this.#end !== undefined;
  }

  /** From the first entry on, if that is still here. */
  listen(): LogListener | undefined {
    return this.#first === 0 && !this.over ? this.#listener({ batch: 0, entry: 0 }) : undefined;
  }

  /** From behind the entry at `place` on, if that entry is here for certain. */
  listenAfter(place: LogPlace): LogListener | undefined {
    const next = this.over ? undefined : this.#after(place);
    if (!next) return undefined;
    const lag = this.#recent.slice(next.batch - this.#first).reduce((size, batch) => size + sizeOf(batch), 0);
    return lag > MAX_LAG ? undefined : this.#listener(next);
  }

  /**
   * The entries of batch `number`, read when somebody is there to take them; undefined at the end.
   * Throws LogInterrupted to a follower that was left behind, the signal's reason (after `wake`), or what ended the reading.
   */
  async batch(number: number, signal: AbortSignal): Promise<LogEntry[] | undefined> {
    for (;;) {
      signal.throwIfAborted();
      if (number < this.#first) throw new LogInterrupted("The others who follow this log are too far ahead.");
      const batch = this.#recent[number - this.#first];
      if (batch) return batch;
      if (this.#end && "error" in this.#end) throw this.#end.error;
      if (this.#end) return undefined;
      void this.#read();
      await this.#news.promise;
    }
  }

  /** Has everyone who waits look at their signal. */
  wake(): void {
    this.#news.tell();
    this.#news = news();
  }

  leave(listener: LogListener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0 || this.#closed) return;
    this.#closed = true;
    this.#end ??= {};
    this.#close();
    this.#source.return?.().catch(() => {});
  }

  #listener(next: Next): LogListener {
    const listener = new LogListener(this, next);
    this.#listeners.add(listener);
    return listener;
  }

  /** One batch, whoever asked; those who wait hear of it. */
  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    try {
      const { value, done } = await this.#source.next();
      if (done) this.#end ??= {};
      else this.#keep(value);
    } catch (error) {
      this.#end ??= { error };
    }
    this.#reading = false;
    this.wake();
  }

  #keep(batch: LogEntry[]): void {
    this.#recent.push(batch);
    this.#size += sizeOf(batch);
    const needed = Math.min(...[...this.#listeners].map((listener) => listener.batch));
    while (this.#recent.length > MIN_BATCHES && this.#size > (this.#first < needed ? RECENT : MAX_WAITING)) {
      this.#size -= sizeOf(this.#recent.shift() ?? []);
      this.#first += 1;
    }
  }

  /** The entries that share a time are counted from the first of them, so one with another time must be here before them. */
  #after({ stream, time, ordinal }: LogPlace): Next | undefined {
    const run: Next[] = [];
    if ((this.#recent[0]?.[0]?.time ?? time) > time) return undefined;
    for (let i = this.#recent.length - 1; i >= 0; i -= 1) {
      const batch = this.#recent[i] ?? [];
      for (let k = batch.length - 1; k >= 0; k -= 1) {
        const entry = batch[k];
        if (entry?.stream !== stream) continue;
        if (entry.time === time) run.push({ batch: this.#first + i, entry: k + 1 });
        else if (run.length > 0) return run.at(-ordinal);
        else if (entry.time < time) return undefined;
      }
    }
    return undefined;
  }
}

/** A follower's way through a stream. */
export class LogListener {
  readonly stream: LogStream;
  #next: Next;

  constructor(stream: LogStream, next: Next) {
    this.stream = stream;
    this.#next = next;
  }

  /** The number of the next batch that it needs. */
  get batch(): number {
    return this.#next.batch;
  }

  /** As `LogStream.batch`; may be empty. */
  async next(signal: AbortSignal): Promise<LogEntry[] | undefined> {
    const { batch, entry } = this.#next;
    const entries = await this.stream.batch(batch, signal);
    this.#next = { batch: batch + 1, entry: 0 };
    return entry > 0 ? entries?.slice(entry) : entries;
  }

  /** Idempotent. */
  leave(): void {
    this.stream.leave(this);
  }
}

/** One promise for all who wait. */
function news(): { promise: Promise<void>; tell: () => void } {
  let tell: () => void = () => {};
  const promise = new Promise<void>((resolve) => {
    tell = resolve;
  });
  return { promise, tell };
}

function sizeOf(batch: LogEntry[]): number {
  return batch.reduce((size, { bytes }) => size + bytes.length + ENTRY_COST, 0);
}
