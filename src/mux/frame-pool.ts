/** Large frames used again: making new memory for each would cost more than the copy into it. */

import { HEADER_BYTES } from "./frame.ts";

/** Payloads that whole pieces have, in bytes; a frame is a little longer. */
const CLASSES = [16_384, 32_768, 65_536, 122_880];
const OVERHEAD = HEADER_BYTES + 1;
/** A frame that fills less of its class than this gets memory of its own, lest much be held for little. */
const FULL = 0.75;
/** Bytes kept for the next ones, by the whole process. */
const MAX_SPARE = 4 * 1024 * 1024;

export class FramePool {
  readonly #spare = new Map<number, ArrayBuffer[]>(CLASSES.map((payload) => [payload + OVERHEAD, []]));
  #bytes = 0;

  /** So many bytes to fill; what was in them before is undefined. */
  blank(length: number): Uint8Array {
    const size = classOf(length);
    const used = size && this.#spare.get(size)?.pop();
    if (used) this.#bytes -= size;
    return new Uint8Array(used || new ArrayBuffer(size ?? length), 0, length);
  }

  /** Gives a frame back that nobody holds any more. */
  recycle({ buffer, length }: Uint8Array): void {
    const size = buffer.byteLength;
    if (size !== classOf(length) || this.#bytes + size > MAX_SPARE || !(buffer instanceof ArrayBuffer)) return;
    this.#spare.get(size)?.push(buffer);
    this.#bytes += size;
  }
}

function classOf(length: number): number | undefined {
  const payload = CLASSES.find((it) => length <= it + OVERHEAD);
  return payload && length >= payload * FULL ? payload + OVERHEAD : undefined;
}
