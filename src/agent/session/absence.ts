/** The time for which a client that is away is waited for. */

export class Absence {
  readonly #graceMs: number;
  readonly #over: () => void;
  #timer: NodeJS.Timeout | undefined;

  /** Calls back when the client was away for longer. */
  constructor(graceMs: number, over: () => void) {
    this.#graceMs = graceMs;
    this.#over = over;
  }

  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  begin(): void {
    this.end();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#over();
    }, this.#graceMs);
  }

  /** The client is back, or not waited for any more. Idempotent. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
