/** Takes the whole binary messages out of what a WebSocket brings; everything else is the library's business. */

import { HEADER_BYTES, MAX_MESSAGE_BYTES } from "../mux/frame.ts";
import { BINARY, MASK_BYTES, MASKED, MAX_HEAD, SHORT, type Side } from "./binary-frame.ts";

/** Where it goes. */
interface SieveEvents {
  /** Memory for a message of so many bytes. */
  blank(length: number): Uint8Array;
  /** One that is complete. It is the receiver's. */
  message(bytes: Uint8Array): void;
  /** Bytes of other frames, in order with the messages; valid during the call. */
  other(bytes: Uint8Array): void;
}

/** The longest frame with data, in bytes. */
const MAX_MESSAGE = HEADER_BYTES + MAX_MESSAGE_BYTES;
/** Final, as BINARY is. */
const PING = 0x89;
const PONG = 0x8a;
const NOTHING = new Uint8Array(0);

/**
 * One direction of a connection, fed in pieces of any size. It knows one frame: a whole binary message that is short enough
 * and, from a client, has a mask of zeros. Pings, pongs, empty messages and those with a mask are passed on each by
 * itself; from anything else on (a goodbye, a text, a part of a message, one that is too long, a wrong mask, an unknown
 * bit) all that comes is passed on, to the connection's end.
 */
export class Sieve {
  readonly #events: SieveEvents;
  readonly #mask: number;
  readonly #head = Buffer.alloc(MAX_HEAD);
  #have = 0;
  #message: Uint8Array | undefined;
  #filled = 0;
  /** Bytes still to be passed on. */
  #passing = 0;

  /** `from` whom it comes. */
  constructor(from: Side, events: SieveEvents) {
    this.#events = events;
    this.#mask = from === "client" ? MASKED : 0;
  }

  /** Where the rest of the message that has begun may be put, instead of coming to `take`; empty between messages. */
  get gap(): Uint8Array {
    return this.#message?.subarray(this.#filled) ?? NOTHING;
  }

  /** The first `count` bytes of the gap, all of them at most, are there. */
  filled(count: number): void {
    const message = this.#message;
    if (!message) return;
    this.#filled += count;
    if (this.#filled < message.length) return;
    this.#message = undefined;
    this.#events.message(message);
  }

  take(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#message) at += this.#copy(this.#message, bytes, at);
      else if (this.#passing > 0) at += this.#pass(bytes, at);
      else at += this.#read(bytes, at);
    }
  }

  #copy(message: Uint8Array, bytes: Uint8Array, at: number): number {
    const count = Math.min(message.length - this.#filled, bytes.length - at);
    message.set(bytes.subarray(at, at + count), this.#filled);
    this.filled(count);
    return count;
  }

  #pass(bytes: Uint8Array, at: number): number {
    const count = Math.min(this.#passing, bytes.length - at);
    this.#passing -= count;
    this.#events.other(bytes.subarray(at, at + count));
    return count;
  }

  /** As much of the next frame's head as there is. */
  #read(bytes: Uint8Array, at: number): number {
    let count = 0;
    while (at + count < bytes.length) {
      this.#head[this.#have] = bytes[at + count] ?? 0;
      this.#have += 1;
      count += 1;
      if (this.#have >= 2 && this.#have === this.#headBytes) {
        this.#begin();
        break;
      }
    }
    return count;
  }

  get #headBytes(): number {
    const second = this.#head[1] ?? 0;
    return 2 + lengthBytes(second & ~MASKED) + (second & MASKED ? MASK_BYTES : 0);
  }

  /** The head is complete. */
  #begin(): void {
    const [kind = 0, second = 0] = this.#head;
    const short = second & ~MASKED;
    const length = this.#payloadBytes(short);
    const message = kind === BINARY && length <= MAX_MESSAGE;
    const sound = (second & MASKED) === this.#mask && (message || ((kind === PING || kind === PONG) && short <= SHORT));
    if (sound && message && length > 0 && this.#isUnmasked) {
      this.#message = this.#events.blank(length);
      this.#filled = 0;
    } else {
      this.#events.other(this.#head.subarray(0, this.#have));
      this.#passing = sound ? length : Number.POSITIVE_INFINITY;
    }
    this.#have = 0;
  }

  #payloadBytes(short: number): number {
    if (short <= SHORT) return short;
    return lengthBytes(short) === 2 ? this.#head.readUInt16BE(2) : Number(this.#head.readBigUInt64BE(2));
  }

  get #isUnmasked(): boolean {
    return this.#mask === 0 || this.#head.readUInt32BE(this.#have - MASK_BYTES) === 0;
  }
}

/** Bytes of the length beside its first seven bits. */
function lengthBytes(short: number): number {
  if (short <= SHORT) return 0;
  return short === SHORT + 1 ? 2 : 8;
}
