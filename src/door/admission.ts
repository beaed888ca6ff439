/** How fast connections are taken: when all hosts come back at once, those that are there already are still served. */

import type { Socket } from "node:net";

export interface Pace {
  /** Connections a second. */
  rate: number;
  /** Connections that wait for their turn; beyond, new ones are cut, whose owners come again later. */
  waiting: number;
}

/** Milliseconds between two looks at who waits. */
const TURN_MS = 20;
/** Connections that may come at once after a quiet time, as the share of a second's. */
const BURST = 0.1;

type Taken = () => void;

/** Takes connections in the order in which they came. */
export class Admission {
  readonly #pace: Pace;
  readonly #now: () => number;
  #waiting: { socket: Socket; taken: Taken }[] = [];
  #room: number;
  #looked: number;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `now` in milliseconds. */
  constructor(pace: Pace, now: () => number = () => performance.now()) {
    this.#pace = pace;
    this.#now = now;
    this.#room = pace.rate * BURST;
    this.#looked = now();
  }

  /** Calls `taken` when it is this connection's turn, at once where nobody waits; or cuts it. */
  enter(socket: Socket, taken: Taken): void {
    if (this.#waiting.length >= this.#pace.waiting) return void socket.destroy();
    // Whoever takes it listens to it himself; until then a reset must not end the program.
    socket.on("error", () => {});
    this.#waiting.push({ socket, taken });
    if (this.#timer === undefined) this.#look();
  }

  #look(): void {
    const now = this.#now();
    const { rate } = this.#pace;
    this.#room = Math.min(this.#room + ((now - this.#looked) / 1_000) * rate, rate * BURST);
    this.#looked = now;
    while (this.#room >= 1) {
      const next = this.#waiting.shift();
      if (!next) break;
      if (next.socket.destroyed) continue;
      this.#room -= 1;
      next.taken();
    }
    this.#timer = undefined;
    if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#look(), TURN_MS);
  }
}
