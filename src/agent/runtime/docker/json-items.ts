/** A JSON array of any length, an item at a time: one that is too long, or is none, harms none of the others. */

import { jsonOf } from "../../../lib/json.ts";
import { RuntimeError } from "../runtime.ts";

/** Bytes that are kept of an item that is too long. */
const BEGINNING = 256;

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const ARRAY = 0x5b;
const ARRAY_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;
const BLANK: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d]);

export interface JsonItem {
  /** Undefined for one that is too long, or no JSON. */
  value: unknown;
  /** Bytes. */
  size: number;
  /** Its text, as far as it is kept. */
  text: string;
}

/** Items of at most `max` bytes are kept. Throws `engine-error` for what is no array, or does not end. */
export async function* jsonItems(body: AsyncIterable<Buffer>, max: number): AsyncGenerator<JsonItem, void, undefined> {
  const cutter = new Cutter(max);
  for await (const bytes of body) {
    yield* cutter.cut(bytes);
    if (cutter.done) return;
  }
  throw notAList();
}

class Cutter {
  readonly #max: number;
  /** 1 between items. */
  #depth = 0;
  #inText = false;
  #escaped = false;
  #done = false;
  /** Of the item under way. */
  #parts: Buffer[] = [];
  #size = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get done(): boolean {
    return this.#done;
  }

  /** The items that end in these bytes. */
  *cut(bytes: Buffer): Generator<JsonItem, void, undefined> {
    let from = this.#depth === 0 ? this.#begin(bytes) : 0;
    for (let at = from; at < bytes.length && !this.#done; at++) {
      if (!this.#separates(bytes[at])) continue;
      this.#keep(bytes.subarray(from, at));
      const item = this.#take();
      if (item.text.trim() !== "") yield item;
      from = at + 1;
    }
    this.#keep(Buffer.from(bytes.subarray(from)));
  }

  /** Where the first item does. */
  #begin(bytes: Buffer): number {
    const at = bytes.findIndex((byte) => !BLANK.has(byte));
    if (at < 0) return bytes.length;
    if (bytes[at] !== ARRAY) throw notAList();
    this.#depth = 1;
    return at + 1;
  }

  /** Whether an item ends before this byte. */
  #separates(byte: number | undefined): boolean {
    if (this.#inText) {
      this.#inText = this.#escaped || byte !== QUOTE;
      this.#escaped = !this.#escaped && byte === BACKSLASH;
      return false;
    }
    if (byte === QUOTE) this.#inText = true;
    else if (byte === ARRAY || byte === OBJECT) this.#depth += 1;
    else if (byte === ARRAY_END || byte === OBJECT_END) this.#depth -= 1;
    this.#done = this.#depth === 0;
    return this.#done || (byte === COMMA && this.#depth === 1);
  }

  #keep(bytes: Buffer): void {
    this.#size += bytes.length;
    this.#parts.push(bytes);
    if (this.#size > this.#max) this.#parts = [Buffer.concat(this.#parts, BEGINNING)];
  }

  #take(): JsonItem {
    const [text, size] = [Buffer.concat(this.#parts).toString(), this.#size];
    this.#parts = [];
    this.#size = 0;
    return { value: size > this.#max ? undefined : jsonOf(text), size, text };
  }
}

function notAList(): RuntimeError {
  return new RuntimeError("engine-error", "What the engine answered is not a whole list.");
}
