/** A text that must not be shown: every way of printing it gives stars, so a log or an error cannot leak it by accident. */

const INSPECT = Symbol.for("nodejs.util.inspect.custom");
export const HIDDEN = "***";

export class Secret {
  readonly #value: string;
  constructor(value: string) {
    this.#value = value;
  }

  /** The text itself; call it only where it goes to its one use. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return HIDDEN;
  }

  toJSON(): string {
    return HIDDEN;
  }

  [INSPECT](): string {
    return HIDDEN;
  }
}
