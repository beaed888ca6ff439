/** Documents of one kind in the storage: checked when they are read, changed by compare-and-set. */

import * as z from "zod/mini";
import { FairleadError } from "../../protocol/errors.ts";
import { type Change, Conflict, type Entry, type Storage } from "./storage.ts";

/** Times that a change is tried against others before it is given up. */
const MAX_ATTEMPTS = 20;

/** Document names are chosen so that they need no escaping. */
export class Shelf<T> {
  readonly #storage: Storage;
  readonly #prefix: string;
  readonly #schema: z.ZodMiniType<T>;

  constructor(storage: Storage, name: string, schema: z.ZodMiniType<T>) {
    this.#storage = storage;
    this.#prefix = `${name}/`;
    this.#schema = schema;
  }

  async get(id: string): Promise<T | undefined> {
    const entry = await this.#storage.get(this.#prefix + id);
    return entry && this.#read(entry);
  }

  /** In the order of their names. */
  async list(): Promise<T[]> {
    return (await this.entries()).map(({ document }) => document);
  }

  count(): Promise<number> {
    return this.#storage.count(this.#prefix);
  }

  async entries(): Promise<{ id: string; document: T }[]> {
    const found = await this.#storage.list(this.#prefix);
    return found.map((entry) => ({ id: entry.key.slice(this.#prefix.length), document: this.#read(entry) }));
  }

  /** `false` when there is one of that name already. */
  async create(id: string, document: T): Promise<boolean> {
    return this.#unlessConflict(() => this.#storage.put(this.#prefix + id, JSON.stringify(document), 0));
  }

  /**
   * Writes what `change` makes of the document; `undefined` leaves it as it is. `change` may be called again, when
   * somebody else was quicker, and refuses by throwing. Resolves with the document as it is then, `undefined`: there is none.
   */
  async update(id: string, change: (document: T) => T | undefined): Promise<T | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const entry = await this.#storage.get(this.#prefix + id);
      if (!entry) return undefined;
      const before = this.#read(entry);
      const after = change(before);
      if (after === undefined) return before;
      const write = () => this.#storage.put(entry.key, JSON.stringify(after), entry.revision);
      if (await this.#unlessConflict(write)) return after;
    }
    throw new FairleadError("conflict", "Others change the same thing all the time; try again.");
  }

  /** Takes the document away, once: of several who try, one gets it. */
  async take(id: string): Promise<T | undefined> {
    const entry = await this.#storage.get(this.#prefix + id);
    if (!entry) return undefined;
    const taken = await this.#unlessConflict(() => this.#storage.remove(entry.key, entry.revision));
    return taken ? this.#read(entry) : undefined;
  }

  async remove(id: string): Promise<void> {
    await this.#storage.remove(this.#prefix + id);
  }

  /** Each document that is written from this call on, with its name; `undefined` for one that is gone. */
  changes(signal: AbortSignal): AsyncIterable<{ id: string; document: T | undefined }> {
    return this.#documents(this.#storage.watch(this.#prefix, signal));
  }

  async *#documents(changes: AsyncIterable<Change>) {
    for await (const { key, value, revision } of changes) {
      const document = value === undefined ? undefined : this.#read({ key, value, revision });
      yield { id: key.slice(this.#prefix.length), document };
    }
  }

  #read({ key, value }: Entry): T {
    const parsed = this.#schema.safeParse(JSON.parse(value));
    if (parsed.success) return parsed.data;
    throw new Error(`${key} in the database is not as this version writes it: ${z.prettifyError(parsed.error)}`);
  }

  async #unlessConflict(work: () => Promise<unknown>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      if (error instanceof Conflict) return false;
      throw error;
    }
  }
}
