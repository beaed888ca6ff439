/** A loop that does not give up: one attempt after another until the signal ends it. */

import { Backoff, type BackoffOptions } from "./backoff.ts";
import { wait } from "./wait.ts";

export interface ForeverOptions extends BackoffOptions {
  signal: AbortSignal;
  /** Hears of every attempt that failed and how long the wait is now, in milliseconds. */
  failed: (error: unknown, waitMs: number) => void;
  /** An attempt that lasted this long, in milliseconds, was healthy: the next wait is the first again. */
  healthyAfter?: number;
}

/** Runs `attempt` again and again; waits longer after each failure. Resolves when the signal is aborted. */
export async function forever(attempt: () => Promise<void>, options: ForeverOptions): Promise<void> {
  const { signal, failed, healthyAfter = 10_000 } = options;
  const backoff = new Backoff(options);
  while (!signal.aborted) {
    const started = performance.now();
    try {
      await attempt();
      backoff.reset();
    } catch (error) {
      if (signal.aborted) return;
      if (performance.now() - started > healthyAfter) backoff.reset();
      const ms = backoff.next();
      failed(error, ms);
      await wait(ms, signal);
    }
  }
}
