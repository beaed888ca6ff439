/** Standard output and standard error with back-pressure: whoever writes waits until the reader keeps up. */

import { Failure, OutputClosed } from "./failure.ts";

export class Output {
  readonly #find: () => NodeJS.WriteStream;
  #opened: NodeJS.WriteStream | undefined;
  #error: Error | undefined;
  readonly #waiting = new Set<() => void>();

  /** The stream is looked up at the first write: making it takes time that some commands do not need to spend. */
  constructor(find: () => NodeJS.WriteStream) {
    this.#find = find;
  }

  get isTerminal(): boolean {
    return this.#stream.isTTY;
  }

  /**
   * Resolves when there is room for more. Rejects with {@link OutputClosed} once the reader has gone. Bytes must not change
   * until `left` is called, which it is not where nothing was written.
   */
  async write(data: Uint8Array | string, left?: () => void): Promise<void> {
    const stream = this.#stream;
    if (this.#error) throw this.#error;
    if (!stream.write(data, left)) await this.#drained(stream);
  }

  /** Resolves when everything has left this process. Rejects where some of it was refused, which a write may not know yet. */
  async flush(): Promise<void> {
    const stream = this.#opened;
    if (!stream) return;
    if (!this.#error && (stream.writableLength > 0 || stream.errored))
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
        stream.write("", () => resolve());
      });
    if (this.#error) throw this.#error;
  }

  get #stream(): NodeJS.WriteStream {
    this.#opened ??= this.#open();
    return this.#opened;
  }

  #open(): NodeJS.WriteStream {
    const stream = this.#find();
    stream.on("drain", () => this.#wake());
    stream.on("error", (error: NodeJS.ErrnoException) => {
      this.#error ??= worded(error);
      this.#wake();
    });
    return stream;
  }

  async #drained(stream: NodeJS.WriteStream): Promise<void> {
    while (!this.#error && stream.writableNeedDrain)
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    if (this.#error) throw this.#error;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

function worded(error: NodeJS.ErrnoException): Error {
  if (error.code === "EPIPE" || error.code === "EIO") return new OutputClosed("the reader has gone", { cause: error });
  const words = error.code === "ENOSPC" ? "the disk is full; free some space and run it again" : error.message;
  return new Failure(`The output could not be written: ${words}.`, { cause: error });
}
