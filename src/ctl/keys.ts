/** Keys that mean something here and not over there: the detach keys of an attach, and the way out of a lost connection. */

import { UsageError } from "./failure.ts";

const CONTROL = /^ctrl-([a-z@[\\\]^_])$/;

/** `ctrl-p,ctrl-q` as bytes; each part is one character or `ctrl-` and a letter or one of `@ [ \ ] ^ _`. Throws {@link UsageError}. */
export function parseKeys(text: string): Uint8Array {
  return Uint8Array.from(text.split(","), (part) => {
    const [, letter] = CONTROL.exec(part.toLowerCase()) ?? [];
    if (letter) return letter.toUpperCase().charCodeAt(0) - 64;
    if (part.length === 1 && part.charCodeAt(0) < 128) return part.charCodeAt(0);
    throw new UsageError(`"${part}" is not a key. Write a character or ctrl-LETTER, joined by commas: ctrl-p,ctrl-q.`);
  });
}

/** Looks for a sequence of keys in what is typed. */
export class KeySequence {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** What may go on, and whether the sequence was completed; its beginning is held back until it is clear what it is. */
  feed(typed: Uint8Array): { pass: Uint8Array; hit: boolean } {
    const pass: number[] = [];
    for (const key of typed) {
      if (key === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched === this.#keys.length) return { pass: Uint8Array.from(pass), hit: true };
        continue;
      }
      pass.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = key === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) pass.push(key);
    }
    return { pass: Uint8Array.from(pass), hit: false };
  }
}

/** Enter, tilde, dot: as in ssh. */
export const ESCAPE = Uint8Array.of(0x0d, 0x7e, 0x2e);
