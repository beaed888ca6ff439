/** What the server does beside requests: what fails is told once, is tried again, and ends nothing else. */

import type { Log } from "../boot/log.ts";
import { forever } from "../lib/forever.ts";
import { wait } from "../lib/wait.ts";
import { FairleadError } from "../protocol/errors.ts";

/** Between what failed and the next attempt, in milliseconds: no longer than hosts may be left without a look at them. */
const RETRY = { first: 1_000, max: 1_000 };
/** For so long, in milliseconds, a reason for a failure must have been away to be told again. */
const QUIET_MS = 600_000;

export class Upkeep {
  readonly #log: Pick<Log, "warn" | "error">;
  readonly #signal: AbortSignal;
  readonly #running: Promise<void>[] = [];

  /** Until the signal aborts. */
  constructor(log: Pick<Log, "warn" | "error">, signal: AbortSignal) {
    this.#log = log;
    this.#signal = signal;
  }

  /** Works again and again. `what` is what stays undone while it fails, for people. */
  keep(what: string, work: (signal: AbortSignal) => Promise<void>): void {
    this.#run(what, work, this.#signal);
  }

  /** The same with a pause of so many milliseconds after each round. */
  every(ms: number, what: string, round: () => Promise<void>): void {
    this.keep(what, async (signal) => {
      await round();
      await wait(ms, signal);
    });
  }

  /** Works until it has succeeded once. */
  finish(what: string, work: (signal: AbortSignal) => Promise<void>): void {
    const over = new AbortController();
    const once = async (signal: AbortSignal) => {
      await work(signal);
      over.abort();
    };
    this.#run(what, once, AbortSignal.any([this.#signal, over.signal]));
  }

  /** Resolves once all of it has noticed the end of the signal. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  #run(what: string, work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): void {
    /** When it last failed for each of these reasons. */
    const reasons = new Map<string, number>();
    const failed = (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      const now = performance.now();
      for (const [old, at] of reasons) if (now - at > QUIET_MS) reasons.delete(old);
      if (!reasons.has(reason)) this.#tell(what, reason, error);
      reasons.set(reason, now);
    };
    this.#running.push(forever(() => work(signal), { ...RETRY, signal, failed }));
  }

  #tell(what: string, reason: string, error: unknown): void {
    if (error instanceof FairleadError) this.#log.warn({ reason }, `${what}: not now; it is tried again`);
    else this.#log.error({ err: error }, `${what}: failed; it is tried again`);
  }
}
