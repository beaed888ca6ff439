/** Reads a socket on demand into two buffers that take turns, so that little is read that nobody asked for and nothing piles up. */

import type { OnReadOpts, Socket } from "node:net";
import type { Duplex } from "node:stream";
import { TLSSocket } from "node:tls";
import { MAX_PIECE_BYTES } from "../mux/frame.ts";
import { readAsStream, readInto } from "./own-reads.ts";

/** One read takes at most this much ... */
const READ_SIZE = 64 * 1024;
/**
 * ... and of a stream that has filled so many, about what the kernel holds for a unix socket: two of a sequence's longest
 * packets, so that no short one is left over.
 */
const BULK_AFTER = 64;
const BULK_READ_SIZE = 2 * MAX_PIECE_BYTES;
/** The longest record of TLS. */
const RECORD_SIZE = 16 * 1024;
/** Milliseconds within which bytes come that were there before they were asked for. */
const AT_ONCE = 0.2;
/** After so many reads that came at once and were small, with nothing said in between, this is a flood of small writes. */
const FLOOD = 16;
const SMALL = 32 * 1024;
/** In a flood the kernel may collect for so many milliseconds before the next read: that saves four fifths of the CPU. */
const PACE = 1;
/** Buffers of connections that are over, for those to come: a forward may have a thousand short ones in a second. */
const unused: Buffer[] = [];
const MAX_UNUSED = 64;

export class Intake {
  /** How the connection is to be read, for whoever opens it. */
  readonly onread: OnReadOpts = {
    buffer: () => this.#blank(),
    callback: (size, buffer) => this.#take(buffer as Buffer, size),
  };
  #socket: Duplex | undefined;
  /** Each from when it is needed first until the connection is over and its last piece used up. */
  #buffers: (Buffer | undefined)[] = [];
  #filled = 0;
  /** Which of them the next read goes into. */
  #turn = 0;
  /** Read and not asked for yet. */
  readonly #waiting: Buffer[] = [];
  /** The last piece that was given out: it may still be looked at. */
  #given: Buffer | undefined;
  /** For what comes, in TLS alone, while both buffers are in use. */
  #spare: Buffer | undefined;
  #pushedBack: Buffer | undefined;
  #ended = false;
  #closed = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #paused = true;
  #lastSize = 0;
  #streak = 0;
  /** Bytes that had been written when it was asked last. */
  #said = 0;
  readonly #collects: boolean;

  /**
   * `collects`: a flood of small writes may be held back for a moment. Not over TCP, whose sender goes no faster than he is
   * read, and so would never show that he could.
   */
  constructor({ collects }: { collects: boolean }) {
    this.#collects = collects;
  }

  /** The connection that it follows. */
  get socket(): Duplex {
    if (!this.#socket) throw new Error("an intake has to be told first which connection it is for");
    return this.#socket;
  }

  /** Of this connection, which is read as {@link onread} says. Once, before anything is asked for. */
  follow<T extends Duplex>(socket: T): T {
    this.#socket = socket;
    socket.on("end", () => this.#finish());
    socket.on("error", (error) => this.#finish(error));
    socket.on("close", () => {
      this.#finish();
      this.#closed = true;
      this.#letGo();
    });
    return socket;
  }

  /** Like `follow`, for a connection that was accepted, in the tick in which it was: nothing has been read then. */
  takeOver(socket: Duplex): void {
    this.follow(socket);
    if (!readInto(socket, this.onread)) readAsStream(socket, this.onread);
  }

  /** Each piece is valid until the next one is asked for. Throws when the connection breaks. */
  async *pieces(): AsyncGenerator<Buffer, void, void> {
    for (let bytes = await this.next(); bytes; bytes = await this.next()) yield bytes;
  }

  /** The next bytes, valid until the next call; undefined at the end. Rejects when the connection breaks. One caller at a time. */
  async next(): Promise<Buffer | undefined> {
    this.#given = undefined;
    const pushedBack = this.#pushedBack;
    this.#pushedBack = undefined;
    if (pushedBack) return pushedBack;
    if (this.#waiting.length > 0) this.#streak += 1;
    else if (!this.#ended) await this.#read();
    const bytes = this.#waiting.shift();
    if (bytes) return this.#give(bytes);
    this.#letGo();
    if (this.#error) throw this.#error;
    return undefined;
  }

  /** Resolves when `next` would answer at once. Not while somebody waits in `next`. */
  async ready(): Promise<void> {
    if (!this.#pushedBack && this.#waiting.length === 0 && !this.#ended) await this.#read();
  }

  /** Puts bytes in front of what comes next. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#pushedBack = Buffer.from(bytes);
  }

  /** Cuts the connection; a waiting `next` rejects with `reason`, or ends without one. */
  destroy(reason?: Error): void {
    this.#waiting.length = 0;
    this.#finish(reason);
    this.#socket?.destroy();
  }

  async #read(): Promise<void> {
    const { bytesWritten: said = 0 } = this.socket as Partial<Socket>;
    if (said !== this.#said) this.#streak = 0;
    this.#said = said;
    if (this.#flooded && this.#lastSize < SMALL) await new Promise((resolve) => setTimeout(resolve, PACE));
    if (this.#waiting.length > 0 || this.#ended) return;
    const asked = performance.now();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (this.#paused) this.socket.resume();
      this.#paused = false;
    });
    this.#streak = performance.now() - asked < AT_ONCE ? this.#streak + 1 : 0;
  }

  get #flooded(): boolean {
    return this.#collects && this.#streak > FLOOD;
  }

  /** For a reader that waits the socket stays open: stopping and starting it for each keystroke costs two calls of the system. */
  #take(buffer: Buffer, size: number): boolean {
    const waited = this.#wake !== undefined;
    const bytes = buffer.subarray(0, size);
    const spare = buffer === this.#spare;
    this.#waiting.push(spare ? Buffer.from(bytes) : bytes);
    if (!spare) {
      if (size === buffer.length) this.#filled += 1;
      this.#turn = 1 - this.#turn;
    }
    this.#wakeUp();
    const free = this.#waiting.length + (this.#given ? 1 : 0) < 2;
    this.#paused = !(waited && free && !this.#flooded);
    return !this.#paused;
  }

  /**
   * TCP keeps what nobody asks for in the kernel. TLS hands over every record of what it has read from there, however
   * often it is told to pause: those go into a buffer of their own and are copied out of it.
   */
  #blank(): Buffer {
    if (this.#socket instanceof TLSSocket && this.#inUse(this.#buffers[this.#turn]))
      return (this.#spare ??= Buffer.allocUnsafeSlow(RECORD_SIZE));
    const size = this.#filled > BULK_AFTER ? BULK_READ_SIZE : READ_SIZE;
    const known = this.#buffers[this.#turn];
    return known && known.length >= size ? known : (this.#buffers[this.#turn] = readBuffer(size));
  }

  /** Nothing is read into the buffers any more and nobody looks at them: another connection may have them. */
  #letGo(): void {
    if (!this.#closed || this.#given || this.#waiting.length > 0) return;
    for (const buffer of this.#buffers)
      if (buffer?.length === READ_SIZE && unused.length < MAX_UNUSED) unused.push(buffer);
    this.#buffers = [];
  }

  #inUse(buffer: Buffer | undefined): boolean {
    if (!buffer) return false;
    return this.#given?.buffer === buffer.buffer || this.#waiting.some((piece) => piece.buffer === buffer.buffer);
  }

  #give(bytes: Buffer): Buffer {
    this.#given = bytes;
    this.#lastSize = bytes.length;
    return bytes;
  }

  #finish(error?: Error): void {
    if (!this.#ended) this.#error = error;
    this.#ended = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

/** One of those if it has that size; what was in it before is undefined. */
function readBuffer(size: number): Buffer {
  return (size === READ_SIZE ? unused.pop() : undefined) ?? Buffer.allocUnsafeSlow(size);
}
