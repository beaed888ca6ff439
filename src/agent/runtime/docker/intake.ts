/** Reads a socket on demand into one reused buffer, so that nothing is read that nobody asked for and nothing piles up. */

import type { OnReadOpts, Socket } from "node:net";

/** One read takes at most this much: what the kernel holds for a unix socket. */
const READ_SIZE = 256 * 1024;
/** Milliseconds within which bytes come that were there before they were asked for. */
const AT_ONCE = 0.2;
/** After so many reads that came at once and were small, this is a flood of small writes, and not somebody typing. */
const FLOOD = 16;
const SMALL = 32 * 1024;
/** In a flood the kernel may collect for so many milliseconds before the next read: that saves four fifths of the CPU. */
const PACE = 1;

export class Intake {
  readonly socket: Socket;
  readonly #buffer = Buffer.allocUnsafeSlow(READ_SIZE);
  #pushedBack: Buffer | undefined;
  #held = 0;
  #ended = false;
  #error: Error | undefined;
  #wake: (() => void) | undefined;
  #lastSize = 0;
  #streak = 0;

  /** `open` begins the connection with the read options it is given. */
  constructor(open: (onread: OnReadOpts) => Socket) {
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
    if (this.#streak > FLOOD && this.#lastSize < SMALL) await new Promise((resolve) => setTimeout(resolve, PACE));
    if (this.#held > 0 || this.#ended) return;
    const asked = performance.now();
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      this.socket.resume();
    });
    this.#streak = performance.now() - asked < AT_ONCE ? this.#streak + 1 : 0;
  }

  #take(size: number): boolean {
    this.#held = size;
    this.#wakeUp();
    return false;
  }

  #give(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#held);
    this.#lastSize = this.#held;
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
