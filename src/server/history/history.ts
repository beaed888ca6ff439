/** A journal whose end is kept: its entries in order, and each new one as it comes. A damaged one is left out. */

import * as z from "zod/mini";
import { rethrowUnlessUnavailable } from "../store/failure.ts";
import type { JournalEntry, Storage } from "../store/storage.ts";
import type { Upkeep } from "../upkeep.ts";

/** Entries that are read at a time. */
const PAGE = 500;
/** How often it is tried to write what could not be written, in milliseconds. */
const CATCH_UP_MS = 1_000;

interface Stamp {
  seq: number;
  time: number;
}

export class History<T extends Stamp> {
  readonly #storage: Storage;
  readonly #name: string;
  readonly #schema: z.ZodMiniType<T>;
  readonly #keep: number;
  /** Could not be written when they happened, and what happened since. */
  readonly #late: string[] = [];

  constructor(storage: Storage, what: { name: string; schema: z.ZodMiniType<T>; keep: number }) {
    this.#storage = storage;
    this.#name = what.name;
    this.#schema = what.schema;
    this.#keep = what.keep;
  }

  /** Resolves when it is on the disk; where that cannot be written, or others wait for it, it waits, and holds nobody up. */
  async add(entry: Omit<T, keyof Stamp>): Promise<void> {
    const text = JSON.stringify({ ...entry, time: Date.now() });
    if (this.#late.length > 0) return this.#wait(text);
    await this.#append(text).catch((error: unknown) => {
      rethrowUnlessUnavailable(error);
      this.#wait(text);
    });
  }

  /** Writes what waits as soon as that is possible. */
  watch(upkeep: Upkeep): void {
    upkeep.every(CATCH_UP_MS, `writing what happened to the history of ${this.#name}`, () => this.#catchUp());
  }

  /** Of those after `after` the first ones; without it the last ones. */
  async read(wish: { after?: number; limit: number }): Promise<T[]> {
    return (await this.#page(wish)).entries;
  }

  /** Everything after `after`, then each new one, until the signal aborts. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<T[], void, void> {
    const news = this.#storage.watch(`journal/${this.#name}`, signal)[Symbol.asyncIterator]();
    let last = after;
    for (;;) {
      const { entries, length, seq = last } = await this.#page({ after: last, limit: PAGE });
      last = seq;
      if (entries.length > 0) yield entries;
      if (length < PAGE && (await news.next()).done) return;
    }
  }

  /** `length` and `seq` are of all that were read. */
  async #page(wish: { after?: number; limit: number }): Promise<{ entries: T[]; length: number; seq?: number }> {
    const found = await this.#storage.read(this.#name, { ...wish, limit: Math.min(wish.limit, this.#keep) });
    const seq = found.at(-1)?.seq;
    return {
      entries: found.flatMap((entry) => this.#understand(entry)),
      length: found.length,
      ...(seq !== undefined && { seq }),
    };
  }

  async #catchUp(): Promise<void> {
    for (let text = this.#late[0]; text !== undefined; text = this.#late[0]) {
      await this.#append(text);
      if (this.#late[0] === text) this.#late.shift();
    }
  }

  #wait(text: string): void {
    this.#late.push(text);
    // The journal would not have it any more either.
    if (this.#late.length > this.#keep) this.#late.shift();
  }

  async #append(text: string): Promise<void> {
    await this.#storage.append(this.#name, text, this.#keep);
  }

  #understand({ seq, value }: JournalEntry): T[] {
    try {
      return [this.#schema.parse({ ...(JSON.parse(value) as object), seq })];
    } catch {
      this.#storage.report(`journal/${this.#name}/${seq}`, "it is not as this version writes it");
      return [];
    }
  }
}
