/** Whether the other side of a connection is still there, and how far away it is: it is asked, and its silence is timed. */

import { CLOSE } from "./errors.ts";
import { RoundTrip } from "./rtt.ts";

/** Milliseconds. */
export const TIMES = {
  /** How often liveness is looked at; while messages come, also how often the round trip is measured. */
  tick: 1_000,
  /** A quiet connection is asked after so long. */
  idle: 15_000,
  /** Without a single byte for so long the other side is dead. */
  dead: 45_000,
  /** The first frame must arrive within. */
  hello: 10_000,
};
/**
 * Each when the last was answered; the shortest round trip counts. Programs that have just started answer late, and a path
 * that seems longer than it is would be allowed to queue as much more.
 */
const FIRST_PINGS = 24;

/** What it does with the connection. */
export interface LivenessHost {
  ping(stamp: number): void;
  close(code: number, reason: string): void;
}

export class Liveness {
  readonly #host: LivenessHost;
  readonly #times: typeof TIMES;
  readonly #rtt = new RoundTrip();
  #greeted = false;
  /** A message came since the last look; an answer to a ping does not count, or it would be the cause of the next. */
  #moved = false;
  #heard = performance.now();
  #asked = performance.now();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Asks at once, and goes on until `stop`. */
  constructor(host: LivenessHost, times?: Partial<typeof TIMES>) {
    this.#host = host;
    this.#times = { ...TIMES, ...times };
    this.#ask();
    this.#tick();
  }

  /** Shortest round trip in milliseconds, once measured. */
  get rtt(): number | undefined {
    return this.#rtt.min;
  }

  /** Milliseconds of `performance`: when the other side was last heard. */
  get heard(): number {
    return this.#heard;
  }

  /** A frame has come. */
  hear(): void {
    this.#heard = performance.now();
  }

  /** It was a message. */
  move(): void {
    this.#moved = true;
  }

  /** The first frame has come, and was the right one. */
  greeted(): void {
    this.#greeted = true;
  }

  answered(stamp: number): void {
    this.#rtt.add(Math.max(0, performance.now() - stamp / 1000));
    if (this.#rtt.samples < FIRST_PINGS) this.#ask();
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #ask(): void {
    this.#asked = performance.now();
    this.#host.ping(Math.round(this.#asked * 1000));
  }

  #tick(): void {
    this.#timer = setTimeout(() => {
      const now = performance.now();
      const { hello, dead, idle } = this.#times;
      const silence = now - this.#heard;
      if (!this.#greeted && silence > hello) return this.#host.close(CLOSE.protocol, "no HELLO in time");
      if (silence > dead) return this.#host.close(CLOSE.dead, `nothing heard for ${Math.round(silence / 1000)} s`);
      if (this.#moved || now - this.#asked > idle) this.#ask();
      this.#moved = false;
      this.#tick();
    }, this.#times.tick);
  }
}
