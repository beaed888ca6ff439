/** Large frames used again: making new memory for each would cost more than the copy into it. */

import { HEADER_BYTES } from "./frame.ts";

/** Bytes of every pooled frame: the largest packet and its header. */
const FRAME_BYTES = HEADER_BYTES + 1 + 65_536;
/** Smaller ones are not worth the whole frame that they would hold. */
const WORTH_IT = FRAME_BYTES / 2;
/** Frames kept, by the whole process: 4 MiB. */
const MAX_SPARE = 64;

export class FramePool {
  readonly #spare: ArrayBuffer[] = [];

  /** So many bytes to fill; what was in them before is undefined. */
  blank(length: number): Uint8Array {
    if (length < WORTH_IT || length > FRAME_BYTES) return new Uint8Array(length);
    return new Uint8Array(this.#spare.pop() ?? new ArrayBuffer(FRAME_BYTES), 0, length);
  }

  /** Gives a frame back that nobody holds any more. */
  recycle({ buffer, length }: Uint8Array): void {
    if (length < WORTH_IT || buffer.byteLength !== FRAME_BYTES || this.#spare.length >= MAX_SPARE) return;
    if (buffer instanceof ArrayBuffer) this.#spare.push(buffer);
  }
}
