/** Points in time as people write them for logs. */

import { parseDuration } from "./duration.ts";
import { sinceOf } from "./stamp.ts";

const UNIX = /^\d{1,12}(\.\d{1,9})?$/;
const DATE = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?\s?(Z|[+-]\d\d:\d\d)?)?$/i;

/**
 * `10m` (so long before `now`, in milliseconds since 1970), RFC 3339 (without a zone: local time) or Unix seconds,
 * as `seconds.nanoseconds`. Throws a RangeError for anything else.
 */
export function parseTime(text: string, now: number): string {
  if (UNIX.test(text)) return text;
  const [, day, time = "00:00:00", fraction = "", zone = ""] = DATE.exec(text) ?? [];
  const ms = day === undefined ? now - Math.abs(duration(text)) : Date.parse(`${day}T${time}${zone.toUpperCase()}`);
  if (!(ms >= 0)) throw new RangeError(`"${text}" is not a time. Write 10m, 2024-05-01T10:00:00Z or Unix seconds.`);
  if (day !== undefined) return `${ms / 1_000}.${fraction.padEnd(9, "0")}`;
  return sinceOf(ms);
}

function duration(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    return Number.NaN;
  }
}
