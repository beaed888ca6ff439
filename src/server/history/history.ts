/** A journal whose end is kept: its entries in order, and each new one as it comes. */

import * as z from "zod/mini";
import type { Storage } from "../store/storage.ts";

/** Entries that are read at a time. */
const PAGE = 500;

interface Stamp {
  seq: number;
  time: number;
}

export class History<T extends Stamp> {
  readonly #storage: Storage;
  readonly #name: string;
  readonly #schema: z.ZodMiniType<T>;
  readonly #keep: number;

  constructor(storage: Storage, what: { name: string; schema: z.ZodMiniType<T>; keep: number }) {
    this.#storage = storage;
    this.#name = what.name;
    this.#schema = what.schema;
    this.#keep = what.keep;
  }

  /** Resolves when it is on the disk. */
  async add(entry: Omit<T, keyof Stamp>): Promise<void> {
    await this.#storage.append(this.#name, JSON.stringify({ ...entry, time: Date.now() }), this.#keep);
  }

  /** Of those after `after` the first ones; without it the last ones. */
  async read(wish: { after?: number; limit: number }): Promise<T[]> {
    const found = await this.#storage.read(this.#name, { ...wish, limit: Math.min(wish.limit, this.#keep) });
    return found.map(({ seq, value }) => this.#schema.parse({ seq, ...(JSON.parse(value) as object) }));
  }

  /** Everything after `after`, then each new one, until the signal aborts. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<T[], void, void> {
    const news = this.#storage.watch(`journal/${this.#name}`, signal)[Symbol.asyncIterator]();
    let last = after;
    for (;;) {
      const page = await this.read({ after: last, limit: PAGE });
      last = page.at(-1)?.seq ?? last;
      if (page.length > 0) yield page;
      if (page.length < PAGE && (await news.next()).done) return;
    }
  }
}
