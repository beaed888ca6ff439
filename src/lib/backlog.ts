/** What waits for a reader that may be slow, bounded: the oldest is dropped, and the next piece tells how much that was. */

/** What every piece costs beside its bytes, so that a million one-byte pieces are bounded too. */
const PIECE_COST = 64;

export interface Piece {
  bytes: Uint8Array;
  /** Bytes that were lost just before this piece. */
  dropped?: number;
}

export class Backlog<T extends Piece> implements AsyncIterable<T> {
  readonly #limit: number;
  #pieces: T[] = [];
  #first = 0;
  #size = 0;
  #dropped = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  /** `limit` in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Keeps `piece.bytes`, which must not change afterwards. */
  add(piece: T): void {
    this.#pieces.push(piece);
    this.#size += piece.bytes.length + PIECE_COST;
    while (this.#size > this.#limit && this.#first < this.#pieces.length) {
      this.#dropped += this.#shift()?.bytes.length ?? 0;
    }
    this.#wakeUp();
  }

  /** What is kept can still be read. */
  end(): void {
    this.#ended = true;
    this.#wakeUp();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, void> {
    for (;;) {
      const dropped = this.#dropped;
      const piece = this.#shift();
      this.#dropped = piece ? 0 : dropped;
      if (piece) yield dropped > 0 ? { ...piece, dropped } : piece;
      else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  #shift(): T | undefined {
    const piece = this.#pieces[this.#first];
    if (!piece) return undefined;
    this.#first += 1;
    this.#size -= piece.bytes.length + PIECE_COST;
    // The emptied front is cut off only when it is the larger half: on average that costs nothing.
    if (this.#first * 2 > this.#pieces.length) {
      this.#pieces = this.#pieces.slice(this.#first);
      this.#first = 0;
    }
    return piece;
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}
