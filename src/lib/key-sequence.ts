/** Keys that mean something on this side, found among those that are meant for the other one. */

/** Looks for a sequence of keys in what is typed. */
export class KeySequence {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /**
   * What may go on, and whether the sequence was completed; its beginning is held back until it is clear what it is, and
   * what was typed with its end is dropped: it was not meant for whoever was left by it.
   */
  feed(typed: Uint8Array): { pass: Uint8Array; hit: boolean } {
    const pass: number[] = [];
    for (const key of typed) {
      if (key === this.#keys[this.#matched]) {
        this.#matched += 1;
        if (this.#matched < this.#keys.length) continue;
        this.#matched = 0;
        return { pass: Uint8Array.from(pass), hit: true };
      }
      pass.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = key === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) pass.push(key);
    }
    return { pass: Uint8Array.from(pass), hit: false };
  }
}
