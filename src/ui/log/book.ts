/** The lines a log view holds: the newest so many, and those of them that pass the filter. */

import type { Line } from "./lines.ts";
import { plain } from "./text.ts";

/** Lines kept; the oldest go first. */
export const MAX_LINES = 50_000;
/** Characters kept, whatever the number of lines: bounds the tab's memory to some 32 MiB. */
export const MAX_CHARS = 16 * 1024 * 1024;
/** How many lines go at once: removing from the front of an array costs its length. */
const SLACK = MAX_LINES / 10;

export class Book {
  #lines: Line[] = [];
  #shown: Line[] = this.#lines;
  #chars = 0;
  #filter = "";
  #shownDropped = 0;
  #dropped = 0;
  #total = 0;

  /** Lines that pass the filter, oldest first. Not to be kept across calls. */
  get shown(): readonly Line[] {
    return this.#shown;
  }

  get length(): number {
    return this.#lines.length;
  }

  /** All lines ever added. */
  get total(): number {
    return this.#total;
  }

  /** Lines that have gone, since it was cleared last. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether only some of the lines are to be shown. */
  get isFiltered(): boolean {
    return this.#filter !== "";
  }

  /** How many lines have left the front of {@link shown} since the filter was set: a view that stands still moves up by the difference. */
  get shownDropped(): number {
    return this.#shownDropped;
  }

  /** The next lines would push out what a paused reader may be looking at. */
  get full(): boolean {
    return this.#lines.length >= MAX_LINES || this.#chars >= MAX_CHARS;
  }

  append(lines: readonly Line[]): void {
    for (const line of lines) {
      this.#lines.push(line);
      this.#chars += line.text.length;
      if (this.#shown !== this.#lines && this.#passes(line)) this.#shown.push(line);
    }
    this.#total += lines.length;
    if (this.#lines.length > MAX_LINES + SLACK || this.#chars > MAX_CHARS * 1.1) this.#trim();
  }

  /** Shows only lines that contain this text, whatever the case; empty shows all. */
  filter(text: string): void {
    this.#filter = text.toLowerCase();
    this.#shown = this.#filter === "" ? this.#lines : this.#lines.filter((line) => this.#passes(line));
    this.#shownDropped = 0;
  }

  clear(): void {
    this.#lines = [];
    this.#chars = 0;
    this.#dropped = 0;
    this.filter(this.#filter);
  }

  #passes(line: Line): boolean {
    return line.from === "note" || plain(line.text).toLowerCase().includes(this.#filter);
  }

  #trim(): void {
    let drop = Math.max(0, this.#lines.length - MAX_LINES);
    let chars = this.#chars;
    for (let i = 0; i < this.#lines.length && (i < drop || chars > MAX_CHARS); i++) {
      chars -= this.#lines[i]?.text.length ?? 0;
      drop = Math.max(drop, i + 1);
    }
    this.#chars = chars;
    this.#dropped += drop;
    const gone = new Set<Line | undefined>(this.#lines.slice(0, drop));
    let shownGone = 0;
    while (shownGone < this.#shown.length && gone.has(this.#shown[shownGone])) shownGone++;
    const filtered = this.#shown !== this.#lines;
    this.#lines = this.#lines.slice(drop);
    this.#shown = filtered ? this.#shown.slice(shownGone) : this.#lines;
    this.#shownDropped += shownGone;
  }
}
