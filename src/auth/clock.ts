/** By what the time is measured that a sign-in, a code or a ticket has: a clock that nobody sets, and that no sleep stops. */

import os from "node:os";

/** Milliseconds since the machine was started, asleep or not: `performance` stands still while Linux is suspended. */
export function sinceBoot(): number {
  // From a fraction of seconds: whole, so that sums and comparisons are exact.
  return Math.round(os.uptime() * 1_000);
}
