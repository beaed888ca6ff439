/** Sizes in bytes as people write them: `1024`, `64m`, `64MiB`, `10MB`. */

/** A lone letter and the `i` forms count in 1024s, as `docker run --memory` does; `kB`, `MB`, ... in 1000s, as disks are sold. */
const POWERS = ["", "k", "m", "g", "t"];
const NAMES = { 1000: ["B", "kB", "MB", "GB", "TB"], 1024: ["B", "KiB", "MiB", "GiB", "TiB"] } as const;
const SIZE = /^(\d{1,16})(?:\.(\d{1,9})(?= ?[kmgt]))? ?([kmgt]?)(i?b)?$/;

/** Whole bytes, rounded down. Throws a `RangeError` for anything else and beyond 2^53. */
export function parseSize(text: string): number {
  const [, whole, fraction = "0", letter = "", unit = ""] = SIZE.exec(text.toLowerCase()) ?? [];
  if (whole === undefined || (letter === "" && unit === "ib"))
    throw new RangeError(`"${text.slice(0, 100)}" is not a size such as 65536, 64m or 64MiB`);
  const base = letter !== "" && unit === "b" ? 1000 : 1024;
  const bytes = Math.floor(Number(`${whole}.${fraction}`) * base ** POWERS.indexOf(letter));
  if (!Number.isSafeInteger(bytes)) throw new RangeError(`"${text.slice(0, 100)}" is more bytes than can be counted`);
  return bytes;
}

/** About as many bytes, for people: `20.91MiB`, or in 1000s `1.5kB`; with as many digits as `docker stats` has. */
export function roundSize(bytes: number, base: 1000 | 1024): string {
  const units = NAMES[base];
  const power = Math.min(bytes < base ? 0 : Math.floor(Math.log(bytes) / Math.log(base)), units.length - 1);
  return `${Number((bytes / base ** power).toPrecision(base === 1024 ? 4 : 3))}${units[power]}`;
}

/** The shortest exact way to write a number of bytes: `64m`, `1536k`, `1000`. */
export function formatSize(bytes: number): string {
  let power = 0;
  let rest = bytes;
  while (rest !== 0 && rest % 1024 === 0 && power < POWERS.length - 1) {
    rest /= 1024;
    power++;
  }
  return `${rest}${POWERS[power]}`;
}
