/** Refuses archives that an engine would unpack first, with programs that it may look for in the container (CVE-2026-41567). */

import { FairleadError } from "../../protocol/errors.ts";

/** What engines look for at the start: gzip, bzip2, xz, Zstandard. */
const MAGIC = [
  [0x1f, 0x8b],
  [0x42, 0x5a, 0x68],
  [0xfd, 0x37, 0x7a, 0x58, 0x5a],
  [0x28, 0xb5, 0x2f, 0xfd],
];
/** A frame that Zstandard skips; the byte before has sixteen values. */
const SKIPPABLE = [0x2a, 0x4d, 0x18];
/** So many bytes tell. */
const LONGEST = 5;

/** The first bytes of an archive, however small the pieces are in which it comes. */
export class Beginning {
  #seen: number[] = [];

  /** Throws `bad-request` before the piece that makes it clear goes anywhere. */
  check(bytes: Uint8Array): void {
    if (this.#seen.length >= LONGEST) return;
    this.#seen.push(...bytes.subarray(0, LONGEST - this.#seen.length));
    if (isCompressed(this.#seen))
      throw new FairleadError(
        "bad-request",
        "This archive is compressed. Unpack it first: gzip -dc x.tar.gz | ctl cp - ...",
      );
  }
}

function isCompressed(bytes: readonly number[]): boolean {
  const has = (magic: readonly number[], from = 0) => magic.every((byte, at) => bytes[from + at] === byte);
  return MAGIC.some((magic) => has(magic)) || ((bytes[0] ?? 0) >> 4 === 5 && has(SKIPPABLE, 1));
}
