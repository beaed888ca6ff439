/** A picture that fills the terminal and is painted over again and again; what was there before comes back at the end. */

import type { World } from "./world.ts";

/** The other screen of the terminal, without a cursor. */
const ENTER = "\u001b[?1049h\u001b[?25l";
const LEAVE = "\u001b[?25h\u001b[?1049l";
const HOME = "\u001b[H";
const CLEAR_REST_OF_LINE = "\u001b[K";
const CLEAR_BELOW = "\u001b[J";
/** Shown at once: between these a terminal that knows them draws nothing. */
const BEGIN = "\u001b[?2026h";
const END = "\u001b[?2026l";

export class Screen {
  readonly #world: World;
  #entered = false;
  #lines: readonly string[] = [];

  constructor(world: World) {
    this.#world = world;
  }

  /** Shows these lines and nothing else; what is too long or too much for the terminal is cut off. */
  paint(lines: readonly string[]): void {
    this.#lines = lines;
    if (!this.#entered) this.#enter();
    const { columns, rows } = this.#world.stdout;
    // A line that ends in the last column leaves the cursor on its last character, which clearing would take away.
    const fitted = (line: string) => (line.length < columns ? line + CLEAR_REST_OF_LINE : line.slice(0, columns));
    const shown = lines.slice(0, rows).map(fitted).join("\n");
    // Every line is written over the one before, never over a cleared one: that would flicker.
    this.#world.stdout.write(`${BEGIN}${HOME}${shown}${lines.length < rows ? CLEAR_BELOW : ""}${END}`);
  }

  /** Gives the terminal back as it was. Idempotent. */
  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    this.#world.off("SIGTSTP", this.#pause);
    this.#world.off("SIGCONT", this.#resume);
    this.#world.stdout.off("resize", this.#again);
    this.#world.stdout.write(LEAVE);
  }

  #enter(): void {
    this.#entered = true;
    this.#world.on("SIGTSTP", this.#pause);
    this.#world.on("SIGCONT", this.#resume);
    this.#world.stdout.on("resize", this.#again);
    this.#world.stdout.write(ENTER);
  }

  readonly #again = () => this.paint(this.#lines);

  /** Ctrl-Z gives the terminal to the shell until that lets us go on. */
  readonly #pause = () => {
    this.#world.stdout.write(LEAVE);
    this.#world.kill(this.#world.pid, "SIGSTOP");
  };

  readonly #resume = () => {
    this.#world.stdout.write(ENTER);
    this.#again();
  };
}
