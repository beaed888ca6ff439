/** The memory of what is unpacked, given back for what comes next. */

/**
 * Counts the bytes of each chunk that have become part of a file: once all have, its memory is free. One with a header or
 * padding in it never is.
 */
export class Lent {
  readonly #unwritten = new WeakMap<ArrayBufferLike, number>();
  readonly #giveBack: (bytes: Uint8Array) => void;

  constructor(giveBack: (bytes: Uint8Array) => void) {
    this.#giveBack = giveBack;
  }

  /** A chunk on its way into the archive. Two on one page of memory are counted as one: those are nobody's to use again. */
  lend({ buffer, length }: Uint8Array): void {
    this.#unwritten.set(buffer, length);
  }

  /** The kernel has these bytes. What is no part of a chunk (a copy of one) is ignored. */
  written(piece: Uint8Array): void {
    const unwritten = (this.#unwritten.get(piece.buffer) ?? Number.NaN) - piece.length;
    if (unwritten > 0) this.#unwritten.set(piece.buffer, unwritten);
    else if (unwritten === 0) {
      this.#unwritten.delete(piece.buffer);
      this.#giveBack(piece);
    }
  }
}
