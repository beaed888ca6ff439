/** The certificate that the program serves with, kept up to date while it runs. */

import { wait } from "../../lib/wait.ts";
import { type Facts, factsOf, type Pair, type Source } from "./pair.ts";

/** A certificate that ends so soon, in milliseconds, is worth a warning. */
const SOON_MS = 14 * 24 * 3_600_000;

export interface CertificateLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export class Certificate {
  readonly #source: Source;
  readonly #log: CertificateLog;
  readonly #life = new AbortController();
  #pair: Pair;
  #facts: Facts;
  /** What the last look found wrong, and whether it was told. */
  #doubt: { words: string; told: boolean } | undefined;

  /** Rejects with words for people when there is no pair to begin with. */
  static async open(source: Source, log: CertificateLog): Promise<Certificate> {
    try {
      const pair = await source.read();
      return new Certificate({ source, log }, pair);
    } catch (cause) {
      throw new Error(`${source.name}: ${wordsOf(cause)}`, { cause });
    }
  }

  private constructor({ source, log }: { source: Source; log: CertificateLog }, pair: Pair) {
    this.#source = source;
    this.#log = log;
    this.#pair = pair;
    this.#facts = factsOf(pair);
    this.#tell("serving TLS");
  }

  get pair(): Pair {
    return this.#pair;
  }

  get pin(): string {
    return this.#facts.pin;
  }

  /** From now on calls back with each later pair, until `close`. */
  watch(changed: (pair: Pair) => void | Promise<void>): void {
    void this.#watch(changed);
  }

  close(): void {
    this.#life.abort();
  }

  async #watch(changed: (pair: Pair) => void | Promise<void>): Promise<void> {
    const { signal } = this.#life;
    for (;;) {
      await wait(this.#source.everyMs, signal);
      if (signal.aborted) return;
      try {
        if (await this.#look()) await changed(this.#pair);
      } catch (error) {
        this.#doubtful(wordsOf(error));
      }
    }
  }

  /** Whether there is a new pair. */
  async #look(): Promise<boolean> {
    const pair = await this.#source.read();
    const same = pair.cert === this.#pair.cert && pair.key === this.#pair.key;
    const facts = same ? this.#facts : factsOf(pair);
    this.#doubt = undefined;
    if (same) return false;
    const known = facts.pin === this.#facts.pin;
    this.#pair = pair;
    this.#facts = facts;
    this.#tell(known ? "serving a new certificate with the same key" : "serving a new certificate with another key");
    return true;
  }

  /** Two files cannot be replaced at once: what is wrong is told when it is still the same at the next look, and once. */
  #doubtful(words: string): void {
    const again = this.#doubt?.words === words;
    if (again && !this.#doubt?.told)
      this.#log.warn({ source: this.#source.name }, `the new certificate is not used, the old one stays: ${words}`);
    this.#doubt = { words, told: again };
  }

  #tell(what: string): void {
    const { pin, fingerprint, validTo } = this.#facts;
    const soon = validTo.getTime() - Date.now() < SOON_MS;
    const fields = { source: this.#source.name, pin, fingerprint, validTo: validTo.toISOString() };
    if (soon) this.#log.warn(fields, `${what}; it ends, or has ended, at ${validTo.toISOString()}: replace it`);
    else this.#log.info(fields, what);
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
