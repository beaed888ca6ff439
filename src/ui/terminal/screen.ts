/** The terminal on the page: xterm.js with what it may not do switched off, a bounded number of bytes on their way into it, and its size kept to the space there is. */

import { FitAddon } from "@xterm/addon-fit";
import { Terminal } from "@xterm/xterm";
import { followTheme } from "../theme.ts";

/** Lines kept above the screen. */
const SCROLLBACK = 10_000;
/** Bytes handed to xterm.js and not yet on the screen: more delays Ctrl-C, less costs throughput. */
const IN_FLIGHT = 64 * 1024;
/** A browser lets a page in the background run once a second: more goes in each time, or a build nobody watches would stand still. */
const IN_FLIGHT_HIDDEN = 1024 * 1024;
/** Characters of a title that a program sets. */
const MAX_TITLE = 80;
const FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace';
const FONT_SIZE = 14;

/** Ends an escape sequence that was broken off. */
const CANCEL = "\u0018";

/** Between a character and what is behind it, as WCAG asks for: programs mix colours for themes they do not know. */
const CONTRAST = 4.5;

export interface ScreenEvents {
  /** What the user types, pastes or points at. */
  input(bytes: Uint8Array): void;
  resize(size: { cols: number; rows: number }): void;
  title(text: string): void;
  /** The user wants the keyboard back for the page. */
  leave(): void;
}

export class Screen {
  readonly #terminal: Terminal;
  readonly #fit = new FitAddon();
  readonly #endings: (() => void)[] = [];
  #inFlight = 0;
  #disposed = false;
  #room: (() => void)[] = [];

  constructor(events: ScreenEvents) {
    this.#terminal = new Terminal({
      scrollback: SCROLLBACK,
      fontFamily: FONT,
      fontSize: FONT_SIZE,
      minimumContrastRatio: CONTRAST,
      cursorBlink: false,
      convertEol: false,
      allowProposedApi: false,
      windowOptions: {},
      linkHandler: { activate: () => {} },
      macOptionIsMeta: true,
    });
    this.#terminal.loadAddon(this.#fit);
    this.#listen(events);
    this.#endings.push(followTheme((theme) => (this.#terminal.options.theme = theme)));
  }

  get size(): { cols: number; rows: number } {
    return { cols: this.#terminal.cols, rows: this.#terminal.rows };
  }

  /** Once: the element must be in the document. */
  mount(element: HTMLElement): void {
    this.#terminal.open(element);
    let asked = 0;
    const observer = new ResizeObserver(() => {
      cancelAnimationFrame(asked);
      asked = requestAnimationFrame(() => this.#fitTo(element));
    });
    observer.observe(element);
    this.#endings.push(() => observer.disconnect());
    this.#fitTo(element);
  }

  /** Resolves when there is room for more, not when these bytes are shown: awaiting it is what stops the writer. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#disposed) return;
    this.#inFlight += bytes.length;
    this.#terminal.write(bytes, () => {
      this.#inFlight -= bytes.length;
      for (const resume of this.#room.splice(0)) resume();
    });
    while (this.#inFlight > (document.hidden ? IN_FLIGHT_HIDDEN : IN_FLIGHT)) {
      await new Promise<void>((resolve) => this.#room.push(resolve));
    }
  }

  /** A line of the page's own, out of whatever the process was about to say. */
  async note(text: string): Promise<void> {
    await this.write(new TextEncoder().encode(`${CANCEL}\r\n\u001b[0;7m ${text} \u001b[0m\r\n`));
  }

  /** Of a process without a terminal come lines, which end with a line feed alone; only who has one is typed to, key by key. */
  connect({ tty, stdin }: { tty: boolean; stdin: boolean }): void {
    this.#terminal.options.convertEol = !tty;
    this.#terminal.options.disableStdin = !(tty && stdin);
  }

  /** A fresh screen, whatever state the last program left behind. */
  reset(): void {
    this.#terminal.reset();
  }

  focus(): void {
    this.#terminal.focus();
  }

  dispose(): void {
    this.#disposed = true;
    for (const end of this.#endings.splice(0)) end();
    this.#terminal.dispose();
    for (const resume of this.#room.splice(0)) resume();
    this.#inFlight = 0;
  }

  #listen(events: ScreenEvents): void {
    const utf8 = new TextEncoder();
    this.#terminal.onData((text) => events.input(utf8.encode(text)));
    this.#terminal.onBinary((text) => events.input(Uint8Array.from(text, (character) => character.charCodeAt(0))));
    this.#terminal.onResize(({ cols, rows }) => events.resize({ cols, rows }));
    this.#terminal.onTitleChange((title) => events.title(title.slice(0, MAX_TITLE)));
    this.#terminal.attachCustomKeyEventHandler((event) => !this.#isOurs(event, events));
  }

  /** Ctrl+Shift+C copies, Ctrl+Shift+Up leaves; everything else belongs to the program in the terminal. */
  #isOurs(event: KeyboardEvent, events: ScreenEvents): boolean {
    if (!event.ctrlKey || !event.shiftKey || event.altKey || event.metaKey) return false;
    if (event.code === "KeyV") return true;
    if (event.code !== "KeyC" && event.code !== "ArrowUp") return false;
    event.preventDefault();
    if (event.type !== "keydown") return true;
    if (event.code === "ArrowUp") events.leave();
    else if (this.#terminal.hasSelection()) void copy(this.#terminal.getSelection());
    return true;
  }

  /** A hidden element has no size: it is fitted when it is shown. */
  #fitTo(element: HTMLElement): void {
    if (element.clientWidth > 0 && element.clientHeight > 0) this.#fit.fit();
  }
}

/** A browser that refuses leaves the selection as it is: its own menu still copies it. */
async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text).catch(() => {});
}
