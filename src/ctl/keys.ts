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

/** Enter, tilde, dot: as in ssh. */
export const ESCAPE = Uint8Array.of(0x0d, 0x7e, 0x2e);
