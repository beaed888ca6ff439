/** Durations as Go writes them (`30s`, `2m30s`, `1.5h`), because that is what people put into the files of comparable agents. */

/** Nanoseconds in each unit; integers, so that whole numbers of units are exact. */
const UNITS = new Map<string, bigint>([
  ["ns", 1n],
  ["us", 1_000n],
  ["µs", 1_000n],
  ["μs", 1_000n],
  ["ms", 1_000_000n],
  ["s", 1_000_000_000n],
  ["m", 60_000_000_000n],
  ["h", 3_600_000_000_000n],
]);
/** Go keeps a duration in 63 bits of nanoseconds (and one more in the negative direction). */
const MAX_NS = 2n ** 63n - 1n;
/** Longest text worth reading; Go's longest own output has 25 characters. */
const MAX_TEXT = 100;
const NS_PER_MS = 1_000_000;

const WHOLE = /^([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const PART = /(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g;

/** Milliseconds, with fractions. Throws a `RangeError` for anything that Go's `time.ParseDuration` refuses. */
export function parseDuration(text: string): number {
  if (/^[+-]?0$/.test(text)) return 0;
  const [, sign, parts] = (text.length <= MAX_TEXT && WHOLE.exec(text)) || [];
  if (parts === undefined) throw new RangeError(`"${text.slice(0, MAX_TEXT)}" is not a duration such as 30s or 2m30s`);
  let total = 0n;
  for (const [, whole = "", fraction = "", unit = ""] of parts.matchAll(PART)) total += part(whole, fraction, unit);
  const negative = sign === "-";
  if (total > (negative ? MAX_NS + 1n : MAX_NS)) throw new RangeError(`"${text}" is longer than 292 years`);
  const ms = Number(total / 1_000_000n) + Number(total % 1_000_000n) / NS_PER_MS;
  return negative && ms !== 0 ? -ms : ms;
}

/** The shortest exact way to write a number of milliseconds (rounded to nanoseconds): `4h`, `1m30s`, `1.5ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms < 0) return `-${formatDuration(-ms)}`;
  if (ms === 0) return "0s";
  if (ms < 1000) return `${trim(ms, 6)}ms`;
  const hours = Math.floor(ms / 3_600_000);
  const minutes = Math.floor((ms % 3_600_000) / 60_000);
  const seconds = trim((ms % 60_000) / 1000, 9);
  const words = `${hours ? `${hours}h` : ""}${minutes ? `${minutes}m` : ""}`;
  return seconds === "0" && words ? words : `${words}${seconds}s`;
}

/** One number with its unit; a fraction is cut at whole nanoseconds, as Go does. */
function part(whole: string, fraction: string, unit: string): bigint {
  const size = UNITS.get(unit) ?? 0n;
  return BigInt(whole) * size + (BigInt(fraction) * size) / 10n ** BigInt(fraction.length);
}

function trim(value: number, digits: number): string {
  return value.toFixed(digits).replace(/\.?0+$/, "");
}
