/** What a container printed, for a terminal: colours pass, and everything else that a terminal would obey is shown instead. */

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const ESC = 0x1b;
const DEL = 0x7f;
/** From a control character to its picture. */
const PICTURES = 0x2400;
const PICTURE_OF_DEL = "\u2421";
/** Longest sequence that is taken for a colour (SGR), in characters. */
const MAX_SGR = 64;
const RESET = "\u001b[0m";

/** What stands at a place instead of so many characters; undefined when that depends on what comes. */
type Shown = { length: number; text: string } | undefined;

/** Of one stream. Takes time in proportion to the text, whatever is in it. */
export class VisibleText {
  readonly #colours: boolean;
  readonly #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  /** The beginning of a sequence that may go on. */
  #held = "";
  /** A colour is on. */
  #coloured = false;

  constructor({ colours }: { colours: boolean }) {
    this.#colours = colours;
  }

  /** What is at the end and may be half of a character or of a colour is kept for the next time. */
  add(bytes: Uint8Array): Uint8Array {
    const text = this.#held + this.#decoder.decode(bytes, { stream: true });
    const { shown, rest } = this.#scan(text);
    this.#held = rest;
    return Buffer.from(shown);
  }

  /** What was kept, and the end of a colour. Idempotent. */
  end(): Uint8Array {
    const rest = this.#held + this.#decoder.decode();
    this.#held = "";
    const shown = Array.from(rest, (character) => visible(character.charCodeAt(0), character)).join("");
    return Buffer.from(shown + this.#reset());
  }

  #scan(text: string): { shown: string; rest: string } {
    let shown = "";
    let from = 0;
    let at = 0;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (isHarmless(code) || (code === LF && !this.#coloured)) {
        at += 1;
        continue;
      }
      const found = this.#special(text, at);
      shown += text.slice(from, at);
      if (!found) return { shown, rest: text.slice(at) };
      shown += found.text;
      at += found.length;
      from = at;
    }
    return { shown: shown + text.slice(from), rest: "" };
  }

  #special(text: string, at: number): Shown {
    const code = text.charCodeAt(at);
    if (code === LF) return { length: 1, text: `${this.#reset()}\n` };
    if (code === CR && at + 1 === text.length) return undefined;
    if (code === CR && text.charCodeAt(at + 1) === LF) return { length: 2, text: `${this.#reset()}\r\n` };
    if (code === ESC && this.#colours) return this.#escape(text, at);
    return { length: 1, text: visible(code, text.charAt(at)) };
  }

  #escape(text: string, at: number): Shown {
    const length = colourAt(text, at);
    if (length === undefined) return undefined;
    if (length === 0) return { length: 1, text: visible(ESC, "") };
    const colour = text.slice(at, at + length);
    this.#coloured = !/^0*m$/.test(colour.slice("\u001b[".length));
    return { length, text: colour };
  }

  /** A colour that is left on would spill over lines of others. */
  #reset(): string {
    if (!this.#coloured) return "";
    this.#coloured = false;
    return RESET;
  }
}

/** Characters of the colour that begins here: `ESC [ digits ; digits m`. 0 where there is none, undefined where it may go on. */
function colourAt(text: string, from: number): number | undefined {
  for (let at = from + 1; at < from + MAX_SGR; at += 1) {
    if (at === text.length) return undefined;
    const character = text.charAt(at);
    if (at === from + 1 ? character !== "[" : !/[0-9;m]/.test(character)) return 0;
    if (character === "m") return at + 1 - from;
  }
  return 0;
}

/** No control, and nothing that breaks the line or turns it around. */
function isHarmless(code: number): boolean {
  if (code < 0x20) return code === TAB;
  if (code < DEL) return true;
  return code > 0x9f && !(code >= 0x2028 && code <= 0x202e) && !(code >= 0x2066 && code <= 0x2069);
}

function visible(code: number, character: string): string {
  if (isHarmless(code)) return character;
  if (code < 0x20) return String.fromCharCode(PICTURES + code);
  return code === DEL ? PICTURE_OF_DEL : `\\u${code.toString(16).padStart(4, "0")}`;
}
