/** The labels that were given away: of each app that is open, and of as many others as are remembered. */

/** Labels without an app: whoever comes back is told how to open it again. */
const MAX_REMEMBERED = 4_096;

export class Labels {
  /** How many apps are open there. */
  readonly #open = new Map<string, number>();
  /** The oldest first. */
  readonly #remembered = new Set<string>();

  has(label: string): boolean {
    return this.#open.has(label) || this.#remembered.has(label);
  }

  remember(label: string): void {
    this.#remembered.delete(label);
    this.#remembered.add(label);
    const [oldest] = this.#remembered;
    if (this.#remembered.size > MAX_REMEMBERED && oldest !== undefined) this.#remembered.delete(oldest);
  }

  /** An app is open there until the result is called. */
  hold(label: string): () => void {
    this.#open.set(label, (this.#open.get(label) ?? 0) + 1);
    return () => {
      const left = (this.#open.get(label) ?? 1) - 1;
      if (left > 0) this.#open.set(label, left);
      else this.#open.delete(label);
      this.remember(label);
    };
  }
}
