/** The user's terminal: raw while a program over there has it, and always given back as it was. */

import type { ReadStream } from "node:tty";
import { childProcess } from "./late.ts";
import type { World } from "./world.ts";

export interface Size {
  cols: number;
  rows: number;
}

/** What the protocol allows, in both directions. */
const MAX_SIDE = 1000;
/** `stty` takes a few milliseconds. */
const STTY_MS = 2_000;
const ENTER_ALTERNATE = "\u001b[?1049h";
const LEAVE_ALTERNATE = "\u001b[?1049l";
/** Ends what a program that was cut off may have left on: mouse reports, bracketed paste, application keys, a hidden cursor, colours. */
const RESET = "\u001b[?1000;1002;1003;1004;1006l\u001b[?2004l\u001b[?1l\u001b>\u001b[?25h\u001b[0m";

export class Terminal {
  readonly #world: World;
  #raw: ReadStream | undefined;
  #alternate = false;

  constructor(world: World) {
    this.#world = world;
  }

  /** Somebody can type. */
  get hasKeyboard(): boolean {
    const { stdin } = this.#world;
    return "isTTY" in stdin && stdin.isTTY;
  }

  /** It shows characters and understands nothing else, as that of an editor's shell: no colours, nothing that comes and goes. */
  get isDumb(): boolean {
    return this.#world.env["TERM"] === "dumb";
  }

  /** Of the screen, if there is one. */
  get size(): Size | undefined {
    const { stdout, stderr } = this.#world;
    const screen = stdout.isTTY ? stdout : stderr;
    return screen.isTTY ? { cols: side(screen.columns), rows: side(screen.rows) } : undefined;
  }

  /** Calls the listener with each new size until the returned function is called. */
  onResize(listener: (size: Size) => void): () => void {
    const { stdout, stderr } = this.#world;
    const screen = stdout.isTTY ? stdout : stderr;
    const changed = () => this.size && listener(this.size);
    screen.on("resize", changed);
    return () => screen.off("resize", changed);
  }

  /** Every key reaches the program as it is. Idempotent. */
  enterRaw(): void {
    if (this.#raw) return;
    this.#raw = this.#world.stdin;
    setRaw(this.#raw);
    this.#world.on("SIGCONT", this.#again);
  }

  /** Keeps in mind whether a program has switched to the alternate screen. A switch that two pieces share goes unnoticed. */
  watch(bytes: Uint8Array): void {
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const entered = text.lastIndexOf(ENTER_ALTERNATE);
    const left = text.lastIndexOf(LEAVE_ALTERNATE);
    if (entered !== left) this.#alternate = entered > left;
  }

  /** Gives the terminal back; `abnormally`: the program over there had no chance to clean up after itself. Idempotent. */
  restore(how: "normally" | "abnormally"): void {
    const stdin = this.#raw;
    if (!stdin) return;
    this.#raw = undefined;
    this.#world.off("SIGCONT", this.#again);
    if (how === "abnormally" && this.#world.stdout.isTTY && !this.isDumb) {
      this.#world.stdout.write((this.#alternate ? LEAVE_ALTERNATE : "") + RESET);
    }
    stdin.setRawMode(false);
  }

  /** A shell that stopped us (SIGSTOP) set its own mode meanwhile; libuv has to be made to notice. */
  readonly #again = () => {
    this.#raw?.setRawMode(false);
    if (this.#raw) setRaw(this.#raw);
  };
}

/**
 * Node's raw mode still turns each newline on its way out into a carriage return and a newline, which moves the cursor
 * of full-screen programs to the wrong column; only `stty` can stop that. Without it things merely look worse.
 */
function setRaw(stdin: ReadStream): void {
  stdin.setRawMode(true);
  childProcess().spawnSync("stty", ["-opost"], { stdio: ["inherit", "ignore", "ignore"], timeout: STTY_MS });
}

function side(value: number): number {
  return Math.min(Math.max(value || 1, 1), MAX_SIDE);
}
