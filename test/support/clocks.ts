/** Both clocks of this process in a test's hands: the wall's, which is set, and the one that only measures. */

import type { TestContext } from "node:test";

export interface Clocks {
  /** Somebody sets the wall clock so many milliseconds ahead, or back. */
  jump: (ms: number) => void;
  /** So many milliseconds go by. */
  pass: (ms: number) => void;
}

/** Until the test is over; for what asks `Date.now` and `performance.now`, and has no timers. */
export function clocks(t: TestContext): Clocks {
  const wall = Date.now.bind(Date);
  const measured = performance.now.bind(performance);
  let [jumped, passed] = [0, 0];
  t.mock.method(Date, "now", () => wall() + passed + jumped);
  t.mock.method(performance, "now", () => measured() + passed);
  return { jump: (ms) => void (jumped += ms), pass: (ms) => void (passed += ms) };
}
