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

  /** The payload found in `input`, in `output`, which may be the input itself. Throws when the coding is broken. */
  push(input: Buffer, output: Buffer = Buffer.allocUnsafeSlow(input.length)): Buffer {
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
    if (this.#line === "" && this.#readPlain(input, from, end)) return end + 1;
    const stop = end < 0 ? input.length : end;
    this.#line += input.toString("latin1", from, stop > from && input[stop - 1] === CR ? stop - 1 : stop);
    if (this.#line.length > MAX_LINE) throw new Error("the chunked coding has an endless line");
    if (end < 0) return stop;
    const line = this.#line;
    this.#line = "";
    this.#endLine(line);
    return end + 1;
  }

  /** Nearly all lines: whole, and empty or only digits. No strings for them: a followed log has one such chunk a line. */
  #readPlain(input: Buffer, from: number, end: number): boolean {
    const to = end > from && input[end - 1] === CR ? end - 1 : end;
    if (this.#state === "gap" && to === from) {
      this.#state = "size";
      return true;
    }
    if (this.#state !== "size" || to <= from || to - from > 8) return false;
    let size = 0;
    for (let at = from; at < to; at += 1) {
      const digit = hexDigit(input[at] ?? 0);
      if (digit < 0) return false;
      size = size * 16 + digit;
    }
    this.#begin(size);
    return true;
  }

  #begin(size: number): void {
    this.#left = size;
    this.#state = size === 0 ? "trailer" : "data";
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
      this.#begin(Number.parseInt(digits, 16));
    }
  }
}

/** -1 for what is none. */
function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}
