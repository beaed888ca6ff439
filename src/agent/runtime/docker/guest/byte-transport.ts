/** The mux's messages over two streams of bytes, such as a program's standard input and output: each behind its length. */

import { CLOSE, type CloseInfo, violation } from "../../../../mux/errors.ts";
import { HEADER_BYTES, MAX_CONTROL_BYTES } from "../../../../mux/frame.ts";
import type { Transport, TransportEvents } from "../../../../mux/transport.ts";

/** Of the length in front of each message, big endian. */
const LENGTH_BYTES = 4;
const MAX_LENGTH = HEADER_BYTES + MAX_CONTROL_BYTES;

export interface ByteSink {
  /** Resolves when the bytes have left; rejects when none leave any more. */
  write(bytes: Uint8Array): Promise<void>;
  /** Both directions. */
  close(): void;
}

/** To be given to a Mux before the first `receive`. */
export class ByteTransport implements Transport {
  readonly #sink: ByteSink;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  /** The message that is coming in, once its length is known. */
  #message: Buffer | undefined;
  /** Bytes that are there of the message, or of its length. */
  #have = 0;
  #buffered = 0;
  #events: TransportEvents | undefined;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  get buffered(): number {
    return this.#buffered;
  }

  start(events: TransportEvents): void {
    this.#events = events;
  }

  send(frame: Uint8Array): void {
    const bytes = Buffer.allocUnsafe(LENGTH_BYTES + frame.length);
    bytes.writeUInt32BE(frame.length);
    bytes.set(frame, LENGTH_BYTES);
    this.#buffered += bytes.length;
    const left = () => {
      this.#buffered -= bytes.length;
      this.#events?.drain();
    };
    this.#sink.write(bytes).then(left, (error: unknown) => this.end({ code: CLOSE.cut, reason: String(error) }));
  }

  /** The words are for this side alone: the other sees its input end. */
  close(): void {
    this.#sink.close();
  }

  /** What has come; it is copied. Throws for a length that no message has. */
  receive(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += this.#take(bytes.subarray(at));
  }

  /** Nothing comes any more. */
  end(info: CloseInfo): void {
    this.#events?.close(info);
    this.#events = undefined;
  }

  /** As much as belongs to one thing; gives how much that was. */
  #take(bytes: Uint8Array): number {
    const whole = this.#message ?? this.#length;
    const count = Math.min(whole.length - this.#have, bytes.length);
    whole.set(bytes.subarray(0, count), this.#have);
    this.#have += count;
    if (this.#have === whole.length) this.#complete();
    return count;
  }

  #complete(): void {
    const message = this.#message;
    this.#have = 0;
    this.#message = message ? undefined : Buffer.allocUnsafeSlow(lengthIn(this.#length));
    if (message) this.#events?.message(message);
  }
}

function lengthIn(bytes: Buffer): number {
  const length = bytes.readUInt32BE();
  if (length === 0 || length > MAX_LENGTH) throw violation(`a message is 1 to ${MAX_LENGTH} bytes`);
  return length;
}
