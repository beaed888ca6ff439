/** Which hosts report in time. What this process itself has missed, because it was not there or stood still, counts against nobody. */

/** Reports that may fail to come. */
const MISSED = 3;
/** The longest that an agent waits before it tries again a server that was away, in milliseconds. */
const RETURN_MS = 30_000;
/** Beyond this, in milliseconds, a look that comes late says that the process stood still. */
const LATE_MS = 2_000;

interface Life {
  /** Milliseconds between reports. */
  interval: number;
  /** On the clock of `now`. */
  deadline: number;
}

export class Liveness {
  readonly #lives = new Map<string, Life>();
  readonly #now: () => number;
  readonly #everyMs: number;
  #looked: number;

  /** `everyMs`: how often `overdue` is asked. `now` must not jump: milliseconds since the process began. */
  constructor(everyMs: number, now: () => number = () => performance.now()) {
    this.#everyMs = everyMs;
    this.#now = now;
    this.#looked = now();
  }

  /** A host that was Ready when an earlier server last saw it: it has time to notice that there is one again. */
  inherit(uid: string, interval: number): void {
    this.#lives.set(uid, { interval, deadline: this.#now() + RETURN_MS + MISSED * interval });
  }

  /** It has reported. */
  seen(uid: string, interval: number): void {
    this.#lives.set(uid, { interval, deadline: this.#now() + MISSED * interval });
  }

  isReady(uid: string): boolean {
    return this.#lives.has(uid);
  }

  forget(uid: string): void {
    this.#lives.delete(uid);
  }

  /** Those whose time has run out since the last look; each is told once. */
  overdue(): string[] {
    const now = this.#now();
    const late = now - this.#looked - this.#everyMs;
    this.#looked = now;
    if (late > LATE_MS) for (const life of this.#lives.values()) life.deadline += late + RETURN_MS;
    const over = [...this.#lives].filter(([, { deadline }]) => deadline <= now).map(([uid]) => uid);
    for (const uid of over) this.#lives.delete(uid);
    return over;
  }
}
