/** Times on the command line. */

import { InvalidArgumentError } from "commander";
import { parseTime } from "../lib/time.ts";

/** As `seconds.nanoseconds` since 1970. */
export function timeOf(text: string): string {
  try {
    return parseTime(text, Date.now());
  } catch {
    throw new InvalidArgumentError(
      "Write a duration such as 10m, a time such as 2024-05-01T10:00:00Z, or Unix seconds.",
    );
  }
}
