/** What the program itself says, on standard error: lines, explanations for -v, and one status line that comes and goes. */

import type { Output } from "./output.ts";
import { printable } from "./printable.ts";

/** Longest message: words from a server may not flood the terminal. */
const MAX_WORDS = 4_096;
const CLEAR_LINE = "\r\u001b[K";

export interface MessageOptions {
  output: Output;
  /** Milliseconds since 1970 when the program began; -v tells the time since. */
  started: number;
  /** Of a terminal that can take nothing back. */
  dumb?: boolean;
}

export class Messages {
  /** Explanations are wanted. */
  verbose = false;
  /** The terminal is in raw mode, where a line has to return to its start by itself. */
  raw = false;
  readonly #output: Output;
  readonly #started: number;
  readonly #dumb: boolean;
  #status = false;

  constructor({ output, started, dumb = false }: MessageOptions) {
    this.#output = output;
    this.#started = started;
    this.#dumb = dumb;
  }

  get onTerminal(): boolean {
    return this.#output.isTerminal;
  }

  /** One line for the user: what happened and what to do. */
  say(words: string): void {
    this.#line(`ctl: ${brief(words)}`);
  }

  /** For whoever asked with -v what goes on. */
  explain(words: () => string): void {
    if (this.verbose) this.#line(`ctl: [${String(Date.now() - this.#started).padStart(4)} ms] ${brief(words())}`);
  }

  /** Shows this instead of the status before; `undefined` clears it. Nothing happens unless a terminal can take it back. */
  status(words: string | undefined): void {
    if (!this.#output.isTerminal || this.#dumb || this.raw || (words === undefined && !this.#status)) return;
    this.#status = words !== undefined;
    this.#write(CLEAR_LINE + (words === undefined ? "" : `ctl: ${brief(words)}`));
  }

  /** In raw mode: a line in the midst of what the program over there shows. */
  intrude(words: string): void {
    this.#write(`\r\n[fairlead: ${brief(words)}]\r\n`);
  }

  /** The terminal is as it was again. A screen that was left in the middle gets a line of its own for what follows. */
  cooked(orderly: boolean): void {
    if (this.raw && !orderly) this.#write("\r\n");
    this.raw = false;
  }

  #line(words: string): void {
    this.#write(`${this.#status ? CLEAR_LINE : ""}${words}${this.raw ? "\r\n" : "\n"}`);
    this.#status = false;
  }

  /** Nobody is left to be told when standard error is gone. */
  #write(text: string): void {
    this.#output.write(text).catch(() => {});
  }
}

/** One line that neither floods nor steers the terminal. */
function brief(words: string): string {
  return printable(words.slice(0, MAX_WORDS));
}
