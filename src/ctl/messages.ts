/** What the program itself says, on standard error: lines, explanations for -v, and one status line that comes and goes. */

import type { Output } from "./output.ts";

/** Longest message: words from a server may not flood the terminal. */
const MAX_WORDS = 4_096;
/** C0 and C1 controls: words from a server may not steer the terminal either. */
// oxlint-disable-next-line no-control-regex -- these characters are what it is about
const CONTROLS = /[\u0000-\u001f\u007f-\u009f]+/g;
const CLEAR_LINE = "\r\u001b[K";

export interface MessageOptions {
  output: Output;
  /** Milliseconds since 1970 when the program began; -v tells the time since. */
  started: number;
}

export class Messages {
  /** Explanations are wanted. */
  verbose = false;
  /** The terminal is in raw mode, where a line has to return to its start by itself. */
  raw = false;
  readonly #output: Output;
  readonly #started: number;
  #status = false;

  constructor({ output, started }: MessageOptions) {
    this.#output = output;
    this.#started = started;
  }

  get onTerminal(): boolean {
    return this.#output.isTerminal;
  }

  /** One line for the user: what happened and what to do. */
  say(words: string): void {
    this.#line(`ctl: ${printable(words)}`);
  }

  /** For whoever asked with -v what goes on. */
  explain(words: () => string): void {
    if (this.verbose) this.#line(`ctl: [${String(Date.now() - this.#started).padStart(4)} ms] ${printable(words())}`);
  }

  /** Shows this instead of the status before; `undefined` clears it. Nothing happens unless a terminal can take it back. */
  status(words: string | undefined): void {
    if (!this.#output.isTerminal || this.raw || (words === undefined && !this.#status)) return;
    this.#status = words !== undefined;
    this.#write(CLEAR_LINE + (words === undefined ? "" : `ctl: ${printable(words)}`));
  }

  /** In raw mode: a line in the midst of what the program over there shows. */
  intrude(words: string): void {
    this.#write(`\r\n[fairlead: ${printable(words)}]\r\n`);
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

function printable(words: string): string {
  return words.slice(0, MAX_WORDS).replaceAll(CONTROLS, " ");
}
