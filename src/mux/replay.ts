/** What was sent and is not acknowledged: kept for a resume, bounded, grown out of the shared budget. */

import type { Budget } from "./budget.ts";
import { violation } from "./errors.ts";
import { HEADER_BYTES, MAX_PIECE_BYTES, MESSAGE_COST } from "./frame.ts";

/** What every session has without asking, in bytes. */
const GUARANTEED = 65_536;
/** One session's replay never grows beyond, in bytes. */
const MAX_REPLAY = 16 * 1024 * 1024;
/** Pieces of a long payload, in bytes: a quarter of the replay, so that a slow path has smaller ones; each takes work of its own. */
const MIN_PIECE = 32_768;
/** A replay that is found empty after this gives back what it grew by, in milliseconds. */
const IDLE_MS = 1_000;

/** A queue of encoded packets, each a frame with room for its header; offsets count their bytes from the session's start. */
export class Replay {
  readonly #budget: Budget;
  #capacity = GUARANTEED;
  #frames: Uint8Array[] = [];
  /** Index of the oldest frame that is kept, and of the next one to leave. */
  #first = 0;
  #next = 0;
  /** Offset of the oldest frame, after the last that the transport was given, and after the newest. */
  #floor = 0;
  #handedOver = 0;
  #end = 0;
  #idle: ReturnType<typeof setTimeout> | undefined;
  /** Frames before this index were given to an earlier channel, which may still hold them. */
  #shared = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Bytes kept. */
  get held(): number {
    return this.#end - this.#floor;
  }

  get pieceBytes(): number {
    return Math.min(Math.max(this.#capacity / 4, MIN_PIECE), MAX_PIECE_BYTES);
  }

  /**
   * Room for a packet of this `length`, or a piece of it. When the replay is what holds the sender up while there is
   * `credit`, it grows; and where the other side gives much credit, which says that the path is fast, until a piece need
   * not be smaller.
   */
  hasRoom(length: number, credit: number): boolean {
    const count = this.#frames.length - this.#first;
    const room = this.held + count * MESSAGE_COST < this.#capacity;
    if (room && (credit <= this.#capacity || this.pieceBytes >= Math.min(length, MAX_PIECE_BYTES))) return true;
    if (credit <= 0 || this.#capacity >= MAX_REPLAY || !this.#budget.take(this.#capacity)) return room;
    this.#capacity *= 2;
    return true;
  }

  push(tag: number, payload: Uint8Array): void {
    const frame = this.#budget.frames.blank(HEADER_BYTES + 1 + payload.length);
    frame[HEADER_BYTES] = tag;
    frame.set(payload, HEADER_BYTES + 1);
    this.#frames.push(frame);
    this.#end += payload.length + 1;
  }

  /** Puts a newer payload of the same length into the last packet if it has that tag and has never left. */
  replaceUnsent(tag: number, payload: Uint8Array): boolean {
    const last = this.#frames.length - 1;
    const frame = this.#frames[last];
    if (!frame || last < this.#next || last < this.#shared) return false;
    if (frame[HEADER_BYTES] !== tag || frame.length !== HEADER_BYTES + 1 + payload.length) return false;
    frame.set(payload, HEADER_BYTES + 1);
    return true;
  }

  /** The next frame to leave. */
  next(): Uint8Array | undefined {
    const frame = this.#frames[this.#next];
    if (!frame) return undefined;
    this.#next += 1;
    return this.#next <= this.#shared ? frame.slice() : frame;
  }

  /** The transport was given so many bytes more. */
  handedOver(bytes: number): void {
    this.#handedOver += bytes;
  }

  /** Everything before `offset` is consumed over there. */
  release(offset: number): void {
    if (offset > this.#handedOver) throw violation("an acknowledgement is ahead of what was sent");
    while (this.#first < this.#next) {
      const frame = this.#frames[this.#first];
      if (!frame || this.#floor + frame.length - HEADER_BYTES > offset) break;
      this.#floor += frame.length - HEADER_BYTES;
      // It went to one channel only, and the peer says that it has it; what a transport still holds is not used again.
      if (this.#first >= this.#shared) this.#budget.frames.recycle(frame);
      this.#first += 1;
    }
    this.#compact();
  }

  /** Starts again behind `offset`: what the other end has over there already is not sent again. */
  rewind(offset: number): void {
    let at = this.#floor;
    let index = this.#first;
    while (at < offset && index < this.#frames.length) {
      at += (this.#frames[index]?.length ?? 0) - HEADER_BYTES;
      index += 1;
    }
    if (at !== offset)
      throw violation(`cannot continue from offset ${offset}: ${this.#floor} to ${this.#end} are kept`);
    this.#shared = Math.max(this.#shared, this.#next);
    this.#next = index;
    this.#handedOver = offset;
  }

  clear(): void {
    this.#frames = [];
    this.#first = 0;
    this.#next = 0;
    this.#shared = 0;
    this.#floor = this.#end;
    this.#handedOver = this.#end;
    this.#shrink();
  }

  #compact(): void {
    if (this.#first < 64 && this.#first < this.#frames.length) return;
    this.#frames.splice(0, this.#first);
    this.#next -= this.#first;
    this.#shared = Math.max(0, this.#shared - this.#first);
    this.#first = 0;
    if (this.#frames.length === 0 && this.#capacity > GUARANTEED)
      this.#idle ??= setTimeout(() => this.#rest(), IDLE_MS);
  }

  /** Bulk empties the replay again and again; only one that stays empty gives its memory back. */
  #rest(): void {
    this.#idle = undefined;
    if (this.#frames.length === 0) this.#shrink();
  }

  #shrink(): void {
    clearTimeout(this.#idle);
    this.#idle = undefined;
    this.#budget.give(this.#capacity - GUARANTEED);
    this.#capacity = GUARANTEED;
  }
}
