/** How far a copy is, on a terminal, while it goes on. */

import type { Messages } from "../messages.ts";

/** Between two looks, in milliseconds. */
const INTERVAL_MS = 250;
const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

export class Progress {
  readonly #messages: Messages;
  readonly #what: string;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #started = performance.now();
  #bytes = 0;

  constructor(messages: Messages, what: string) {
    this.#messages = messages;
    this.#what = what;
    if (messages.onTerminal) this.#timer = setInterval(() => this.#show(), INTERVAL_MS).unref();
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Takes the line away. Idempotent. */
  close(): void {
    clearInterval(this.#timer);
    this.#messages.status(undefined);
  }

  #show(): void {
    const seconds = (performance.now() - this.#started) / 1000;
    this.#messages.status(`${this.#what}: ${shortSize(this.#bytes)}, ${shortSize(this.#bytes / seconds)}/s`);
  }
}

/** `1.2 MB`: for people, who need no more than two or three digits. */
function shortSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 999.5 && unit < UNITS.length - 1; unit += 1) value /= 1000;
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
