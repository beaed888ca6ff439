/** Rows of text under headings, in columns as wide as they have to be. */

import { printable } from "./printable.ts";

const GAP = "   ";

/** Remembers its widths, so that rows which come later stand under the same headings; a wider cell widens what follows. */
export class Table {
  readonly #headings: readonly string[];
  readonly #widths: number[];

  constructor(headings: readonly string[], widths: readonly number[] = []) {
    this.#headings = headings;
    this.#widths = headings.map((heading, i) => Math.max(heading.length, widths[i] ?? 0));
  }

  /** The headings and these rows, or the rows alone; cells are what others wrote. */
  render(cells: readonly (readonly string[])[], headed: "headed" | "bare" = "headed"): string {
    const rows = cells.map((row) => row.map(printable));
    for (const row of rows)
      for (const [i, cell] of row.entries()) this.#widths[i] = Math.max(this.#widths[i] ?? 0, cell.length);
    const lines = headed === "headed" ? [this.#headings, ...rows] : rows;
    return lines
      .map(
        (row) =>
          `${row
            .map((cell, i) => cell.padEnd(this.#widths[i] ?? 0))
            .join(GAP)
            .trimEnd()}\n`,
      )
      .join("");
  }
}
