/** Takes apart the engine's multiplexed streams: an 8-byte header (stream, three zero bytes, length) before every payload. */

const HEADER = 8;
/** By the header's first byte; the last is the engine's own voice when it fails in the middle of a stream. */
const STREAMS = ["stdout", "stdout", "stderr", "engine"] as const;

export type DemuxStream = (typeof STREAMS)[number];

/** Receives payload bytes (a view into what was pushed) and how many bytes of the same frame are still to come. */
export type DemuxSink = (stream: DemuxStream, bytes: Buffer, left: number) => void;

/** Iterative, without copies, and without memory for what a header merely announces. */
export class Demux {
  readonly #sink: DemuxSink;
  readonly #header = Buffer.alloc(HEADER);
  #have = 0;
  #stream: DemuxStream = "stdout";
  #left = 0;

  constructor(sink: DemuxSink) {
    this.#sink = sink;
  }

  /** Throws on a header that cannot be one, e.g. because the stream belongs to a terminal and is not multiplexed. */
  push(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const count = Math.min(this.#left, chunk.length - at);
        this.#left -= count;
        this.#sink(this.#stream, chunk.subarray(at, at + count), this.#left);
        at += count;
      } else if (this.#have === 0 && chunk.length - at >= HEADER) {
        this.#open(chunk, at);
        at += HEADER;
      } else {
        at += this.#collect(chunk, at);
      }
    }
  }

  /** To be called at the end of the stream; throws if that is in the middle of a frame. */
  end(): void {
    if (this.#have > 0 || this.#left > 0) throw new Error("the engine's stream ended in the middle of a frame");
  }

  /** A header that is split between two chunks. */
  #collect(chunk: Buffer, at: number): number {
    const count = chunk.copy(this.#header, this.#have, at, Math.min(at + HEADER - this.#have, chunk.length));
    this.#have += count;
    if (this.#have === HEADER) {
      this.#have = 0;
      this.#open(this.#header, 0);
    }
    return count;
  }

  #open(bytes: Buffer, at: number): void {
    const word = bytes.readUInt32BE(at);
    const stream = STREAMS[word >>> 24];
    if (stream === undefined || (word & 0xffffff) !== 0) throw new Error("the engine's stream has a bad frame header");
    this.#stream = stream;
    this.#left = bytes.readUInt32BE(at + 4);
  }
}
