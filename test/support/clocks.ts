/** The clocks of this process in a test's hands: the wall's, which is set, and those that only measure, awake or asleep too. */

import os from "node:os";
import type { TestContext } from "node:test";

export interface Clocks {
  /** Somebody sets the wall clock so many milliseconds ahead, or back. */
  jump: (ms: number) => void;
  /** So many milliseconds go by. */
  pass: (ms: number) => void;
  /** The machine sleeps for so many milliseconds. */
  suspend: (ms: number) => void;
}

/** Until the test is over; for what asks `Date.now`, `performance.now` and `os.uptime`, and has no timers. */
export function clocks(t: TestContext): Clocks {
  const wall = Date.now.bind(Date);
  const measured = performance.now.bind(performance);
  const uptime = os.uptime.bind(os);
  let [jumped, passed, slept] = [0, 0, 0];
  t.mock.method(Date, "now", () => wall() + passed + slept + jumped);
  t.mock.method(performance, "now", () => measured() + passed);
  t.mock.method(os, "uptime", () => uptime() + (passed + slept) / 1_000);
  return {
    jump: (ms) => void (jumped += ms),
    pass: (ms) => void (passed += ms),
    suspend: (ms) => void (slept += ms),
  };
}
