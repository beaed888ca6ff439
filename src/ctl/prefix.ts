/** Lines with the name of where they come from in front, whole even when several sources write at once. */

/** Longest line that is waited for, in bytes; a longer one is printed in pieces. */
const MAX_LINE = 65_536;
const NEWLINE = 10;
const END = Uint8Array.of(NEWLINE);

/** Of one stream of one container. */
export class Prefixer {
  readonly #prefix: Uint8Array;
  #rest: Uint8Array[] = [];
  #length = 0;

  constructor(prefix: string) {
    this.#prefix = Buffer.from(prefix);
  }

  /** The lines that these bytes complete; what begins a line is kept for the next time. */
  add(bytes: Uint8Array): Uint8Array {
    const out: Uint8Array[] = [];
    let from = 0;
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, from)) {
      out.push(this.#prefix, ...this.#rest.splice(0), bytes.subarray(from, at + 1));
      this.#length = 0;
      from = at + 1;
    }
    if (from < bytes.length) this.#keep(bytes.subarray(from));
    if (this.#length > MAX_LINE) out.push(this.end());
    return Buffer.concat(out);
  }

  /** What is left, as a line. */
  end(): Uint8Array {
    if (this.#length === 0) return new Uint8Array(0);
    this.#length = 0;
    return Buffer.concat([this.#prefix, ...this.#rest.splice(0), END]);
  }

  #keep(bytes: Uint8Array): void {
    this.#rest.push(bytes);
    this.#length += bytes.length;
  }
}
