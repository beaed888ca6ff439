/** Decodes HTTP's chunked transfer coding: everything found in one read comes out as one piece. */

/** Longest line between chunks (a size with its extensions, or a trailer). */
const MAX_LINE = 4096;
const LF = 10;
const CR = 13;

export class Chunked {
  #state: "size" | "data" | "gap" | "trailer" | "done" = "size";
  #left = 0;
  #line = "";

  /** True once the terminating chunk was seen; until then an end of the stream means that something broke off. */
  get done(): boolean {
    return this.#state === "done";
  }

  /** The payload found in `input`, in memory of its own. Throws when the coding is broken. */
  push(input: Buffer): Buffer {
    const output = Buffer.allocUnsafeSlow(input.length);
    let size = 0;
    let at = 0;
    while (at < input.length && this.#state !== "done") {
      if (this.#state === "data") {
        const count = Math.min(this.#left, input.length - at);
        size += input.copy(output, size, at, at + count);
        at += count;
        this.#left -= count;
        if (this.#left === 0) this.#state = "gap";
      } else {
        at = this.#readLine(input, at);
      }
    }
    return output.subarray(0, size);
  }

  /** Collects one line that may be spread over several reads; returns where it stopped. */
  #readLine(input: Buffer, from: number): number {
    const end = input.indexOf(LF, from);
    const stop = end < 0 ? input.length : end;
    this.#line += input.toString("latin1", from, stop > from && input[stop - 1] === CR ? stop - 1 : stop);
    if (this.#line.length > MAX_LINE) throw new Error("the chunked coding has an endless line");
    if (end < 0) return stop;
    const line = this.#line;
    this.#line = "";
    this.#endLine(line);
    return end + 1;
  }

  #endLine(line: string): void {
    if (this.#state === "gap") {
      if (line !== "") throw new Error("the chunked coding has bytes after a chunk's end");
      this.#state = "size";
    } else if (this.#state === "trailer") {
      if (line === "") this.#state = "done";
    } else {
      const digits = /^([0-9a-fA-F]{1,8})\s*(?:;.*)?$/.exec(line)?.[1];
      if (digits === undefined) throw new Error("the chunked coding has a bad size");
      this.#left = Number.parseInt(digits, 16);
      this.#state = this.#left === 0 ? "trailer" : "data";
    }
  }
}
