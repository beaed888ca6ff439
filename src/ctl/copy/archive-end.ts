/** Whether an archive that is passed on as it is came whole: an engine that fails in the midst of one only ends it sooner. */

export const ENDED_EARLY =
  "The engine has ended the archive early, as it does when a file becomes shorter while it is read.";

const BLOCK = 512;
/** Where in a header its size and its type are. */
const SIZE = 124;
const SIZE_LENGTH = 12;
const TYPE = 156;
/** Of an entry whose content is records about the next one (POSIX, pax). */
const RECORDS = 0x78;
/** Longest records that are looked at, in bytes. */
const MAX_RECORDS = 1_048_576;
/** Links, devices, directories and pipes, of which nothing follows whatever their size. */
const EMPTY = /[1-6]/;

/** Reads headers alone, and copies nothing else. */
export class ArchiveEnd {
  readonly #header = Buffer.alloc(BLOCK);
  #filled = 0;
  /** Bytes of the present entry that are still to come, to the end of its last block. */
  #left = 0;
  #records: { parts: Buffer[]; size: number } | undefined;
  /** What the records say of the next entry, where its header has no room for it. */
  #nextSize: number | undefined;
  #isWhole = false;

  /** The block of zeros came that ends every archive. */
  get isWhole(): boolean {
    return this.#isWhole;
  }

  /** In order, in pieces of any length, which are the caller's again afterwards. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length && !this.#isWhole; ) {
      const wanted = this.#left > 0 ? this.#left : BLOCK - this.#filled;
      const part = bytes.subarray(at, at + wanted);
      if (this.#left > 0) this.#pass(part);
      else this.#fill(part);
      at += part.length;
    }
  }

  #pass(part: Uint8Array): void {
    this.#left -= part.length;
    this.#records?.parts.push(Buffer.from(part));
    if (this.#left > 0 || !this.#records) return;
    const { parts, size } = this.#records;
    this.#nextSize = sizeIn(Buffer.concat(parts).subarray(0, size));
    this.#records = undefined;
  }

  #fill(part: Uint8Array): void {
    this.#header.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled < BLOCK) return;
    this.#filled = 0;
    if (this.#header.every((byte) => byte === 0)) this.#isWhole = true;
    else this.#begin(this.#header[TYPE] ?? 0);
  }

  #begin(type: number): void {
    const told = sizeOf(this.#header);
    if (type === RECORDS) {
      if (told > 0 && told <= MAX_RECORDS) this.#records = { parts: [], size: told };
      this.#left = padded(told);
      return;
    }
    this.#left = EMPTY.test(String.fromCharCode(type)) ? 0 : padded(this.#nextSize ?? told);
    this.#nextSize = undefined;
  }
}

/** In octal digits; where they do not suffice in eight bytes, with a mark in front. */
function sizeOf(header: Buffer): number {
  if (((header[SIZE] ?? 0) & 0x80) !== 0) return Number(header.readBigUInt64BE(SIZE + SIZE_LENGTH - 8));
  return Number.parseInt(header.toString("latin1", SIZE, SIZE + SIZE_LENGTH), 8) || 0;
}

/** Each record is its own length, a space, a name, `=`, a value and the end of a line. */
function sizeIn(records: Buffer): number | undefined {
  for (let at = 0; at < records.length; ) {
    const space = records.indexOf(" ", at);
    const length = space < 0 ? 0 : Number(records.toString("latin1", at, space));
    if (!(length > 0)) return undefined;
    const [, size] = /^size=(\d+)\n$/.exec(records.toString("latin1", space + 1, at + length)) ?? [];
    if (size !== undefined) return Number(size);
    at += length;
  }
  return undefined;
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
