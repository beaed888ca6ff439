/**
 * Large frames used again: making new memory for each would cost more than the copy into it. Sending: a replay asks for a
 * `blank`, the transport `hold`s it, an ACK leads to `recycle`. Receiving: the transport asks for a `blank`, and whoever has
 * used up the packet says `recycle`.
 */

import { HEADER_BYTES, MAX_PIECE_BYTES } from "./frame.ts";

/** Payloads that whole pieces have, in bytes; a frame is a little longer. */
const CLASSES = [16_384, 32_768, 65_536, MAX_PIECE_BYTES];
const OVERHEAD = HEADER_BYTES + 1;
/** Bytes in front of each frame for what a transport puts before it: a WebSocket's header (`binary-frame.ts`). */
const ROOM = 14;
/** A frame that fills less of its class than this gets memory of its own, lest much be held for little. */
const FULL = 0.75;
/** Bytes kept for the next ones, by the whole process. */
const MAX_SPARE = 4 * 1024 * 1024;

/**
 * What pools made and might take back: given out, held by a transport besides, or spare. For all pools: a transport does not
 * know whose a frame is.
 */
const pooled = new WeakMap<ArrayBufferLike, "out" | "held" | "spare">();

/** Whether this frame comes from a pool: the bytes in front of it, {@link ROOM} of them, are its own. */
export function isPooled({ buffer, byteOffset }: Uint8Array): boolean {
  return byteOffset === ROOM && pooled.has(buffer);
}

/**
 * Until the returned function is called the memory of this pooled frame is not used again, whoever gives it back meanwhile:
 * a peer acknowledges what it likes.
 */
export function hold({ buffer }: Uint8Array): () => void {
  if (pooled.has(buffer)) pooled.set(buffer, "held");
  return () => {
    if (pooled.get(buffer) === "held") pooled.set(buffer, "out");
  };
}

export class FramePool {
  readonly #spare = new Map<number, ArrayBuffer[]>(CLASSES.map((payload) => [ROOM + OVERHEAD + payload, []]));
  #bytes = 0;

  /** So many bytes to fill; what was in them before is undefined. `make` gives memory where there is none to use again. */
  blank(length: number, make = (size: number) => new ArrayBuffer(size)): Uint8Array {
    const size = classOf(length);
    if (!size) return new Uint8Array(make(length));
    const used = this.#spare.get(size)?.pop();
    if (used) this.#bytes -= size;
    const buffer = used ?? make(size);
    pooled.set(buffer, "out");
    return new Uint8Array(buffer, ROOM, length);
  }

  /** Gives a frame back, or what was cut from one, that nobody holds any more. What does not come from here is left alone. */
  recycle({ buffer }: Uint8Array): void {
    const state = pooled.get(buffer);
    // It still leaves: the collector takes it when it has.
    if (state === "held") pooled.delete(buffer);
    const size = buffer.byteLength;
    if (state !== "out" || this.#bytes + size > MAX_SPARE) return;
    pooled.set(buffer, "spare");
    this.#spare.get(size)?.push(buffer as ArrayBuffer);
    this.#bytes += size;
  }
}

function classOf(length: number): number | undefined {
  const payload = CLASSES.find((it) => length <= it + OVERHEAD);
  return payload && length >= payload * FULL ? ROOM + OVERHEAD + payload : undefined;
}
