/** Reads a socket on demand into one reused buffer, so that nothing is read that nobody asked for and nothing piles up. */

import type { OnReadOpts, Socket } from "node:net";

/** One read takes at most this much. */
const READ_SIZE = 128 * 1024;
/** A paced reader that got less than this, at once, lets the kernel collect more before it reads again. */
const PACED_SIZE = 32 * 1024;
/** Milliseconds; also the longest that pacing delays a byte. */
const PACE = 1;

export interface IntakeOptions {
  /**
   * For streams of many small writes: waits a millisecond between reads that follow each other closely. At the
   * engine's full 200,000 log lines a second this takes a fifth of the CPU of reading eagerly.
   */
  paced?: boolean;
}

export class Intake {
  readonly socket: Socket;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  readonly #paced: boolean;
  #pushedBack: Buffer | undefined;
  #held = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #lastRead = 0;
  #lastSize = READ_SIZE;

  /** `open` begins the connection with the read options it is given. */
  constructor(open: (onread: OnReadOpts) => Socket, options: IntakeOptions = {}) {
    this.#paced = options.paced ?? false;
    this.socket = open({ buffer: this.#buffer, callback: (size) => this.#take(size) });
    this.socket.on("end", () => this.#finish());
    this.socket.on("error", (error) => this.#finish(error));
    this.socket.on("close", () => this.#finish());
  }

  /** The next bytes, valid until the next call; undefined at the end. Rejects when the connection breaks. One caller at a time. */
  async next(): Promise<Buffer | undefined> {
    const pushedBack = this.#pushedBack;
    this.#pushedBack = undefined;
    if (pushedBack) return pushedBack;
    if (this.#held === 0 && !this.#ended) await this.#read();
    if (this.#held > 0) return this.#give();
    if (this.#error) throw this.#error;
    return undefined;
  }

  /** Resolves when `next` would answer at once. Not while somebody waits in `next`. */
  async ready(): Promise<void> {
    if (!this.#pushedBack && this.#held === 0 && !this.#ended) await this.#read();
  }

  /** Puts bytes in front of what comes next. */
  unread(bytes: Buffer): void {
    if (bytes.length > 0) this.#pushedBack = bytes;
  }

  /** Cuts the connection; a waiting `next` rejects with `reason`, or ends without one. */
  destroy(reason?: Error): void {
    this.#held = 0;
    this.#finish(reason);
    this.socket.destroy();
  }

  async #read(): Promise<void> {
    if (this.#paced && this.#lastSize < PACED_SIZE && performance.now() - this.#lastRead < PACE) {
      await new Promise((resolve) => setTimeout(resolve, PACE));
    }
    if (this.#held > 0 || this.#ended) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.socket.resume();
    });
  }

  #take(size: number): boolean {
    this.#held = size;
    this.#wakeUp();
    return false;
  }

  #give(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#held);
    this.#lastSize = this.#held;
    this.#lastRead = performance.now();
    this.#held = 0;
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
