/** Moments to the nanosecond, as engines stamp log lines and want them in a query; numbers would lose digits. */

/** RFC 3339 to `seconds.nanoseconds`: the only form of which engines keep every digit. */
export function toSince(time: string): string {
  const fraction = /\.(\d{1,9})/.exec(time)?.[1] ?? "";
  const seconds = Math.floor(Date.parse(time.replace(/\.\d+/, "")) / 1000);
  return `${seconds}.${fraction.padEnd(9, "0")}`;
}

/** The other way round, in UTC. */
export function fromSince(since: string): string {
  const [seconds = "0", fraction = ""] = since.split(".");
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}.${fraction.padEnd(9, "0")}Z`;
}

/** A moment in milliseconds since 1970 as `seconds.nanoseconds`. */
export function sinceOf(ms: number): string {
  return `${Math.floor(ms / 1000)}.${String(Math.floor(ms % 1000)).padStart(3, "0")}000000`;
}

/** Of two times as `toSince` gives them, also with fewer digits: negative when the first is earlier. */
export function compareSince(a: string, b: string): number {
  const [aSeconds = "", aNanos = ""] = a.split(".");
  const [bSeconds = "", bNanos = ""] = b.split(".");
  return Number(aSeconds) - Number(bSeconds) || Number(aNanos.padEnd(9, "0")) - Number(bNanos.padEnd(9, "0"));
}

/** A microsecond earlier, both as `toSince` gives them. */
export function earlierSince(since: string): string {
  const [seconds = "0", fraction = ""] = since.split(".");
  const nanoseconds = BigInt(seconds + fraction.padEnd(9, "0")) - 1_000n;
  const digits = String(nanoseconds < 0n ? 0n : nanoseconds).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
