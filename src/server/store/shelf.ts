/**
 * Documents of one kind in the storage: checked when they are read, changed by compare-and-set. One that cannot be
 * understood is left out of lists, told once to whoever runs the server, and an error for whoever asks for it by its name;
 * it keeps its name until somebody takes it away.
 */

import * as z from "zod/mini";
import { jsonOf } from "../../lib/json.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { type Change, Conflict, type Entry, type Storage } from "./storage.ts";

/** Times that a change is tried against others before it is given up. */
const MAX_ATTEMPTS = 20;

export interface ShelfOptions<T> {
  name: string;
  schema: z.ZodMiniType<T>;
  /** What to do about a document of this name that is damaged, as whole sentences. */
  mend: (id: string) => string;
  /** Where a document has its own name in it, which must be the one that it has here. */
  nameIn?(this: void, document: T): string;
}

/** Document names are chosen so that they need no escaping. */
export class Shelf<T> {
  readonly #storage: Storage;
  readonly #options: ShelfOptions<T>;
  readonly #prefix: string;

  constructor(storage: Storage, options: ShelfOptions<T>) {
    this.#storage = storage;
    this.#options = options;
    this.#prefix = `${options.name}/`;
  }

  /** Throws `damaged-record`, as `update` does. */
  async get(id: string): Promise<T | undefined> {
    const entry = await this.#storage.get(this.#prefix + id);
    return entry && this.#read(entry);
  }

  /** In the order of their names. */
  async list(): Promise<T[]> {
    return (await this.entries()).map(({ document }) => document);
  }

  /** Damaged ones too. */
  count(): Promise<number> {
    return this.#storage.count(this.#prefix);
  }

  async entries(): Promise<{ id: string; document: T }[]> {
    const found = await this.#storage.list(this.#prefix);
    return found.flatMap((entry) => {
      const { document, why } = this.#understand(entry);
      return why === undefined ? [{ id: this.#idOf(entry), document }] : [];
    });
  }

  /** `false` when there is one of that name already. */
  async create(id: string, document: T): Promise<boolean> {
    return this.#unlessConflict(() => this.#storage.put(this.#prefix + id, JSON.stringify(document), 0));
  }

  /** Whatever was there before. */
  async set(id: string, document: T): Promise<void> {
    await this.#storage.put(this.#prefix + id, JSON.stringify(document));
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
    throw overtaken();
  }

  /** Takes the document away, once: of several who try, one gets it. Of a damaged one there is nothing to be had. */
  async take(id: string): Promise<{ document: T | undefined } | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const entry = await this.#storage.get(this.#prefix + id);
      if (!entry) return undefined;
      const { document } = this.#understand(entry);
      if (await this.#unlessConflict(() => this.#storage.remove(entry.key, entry.revision))) return { document };
    }
    throw overtaken();
  }

  async remove(id: string): Promise<void> {
    await this.#storage.remove(this.#prefix + id);
  }

  /** Tells that a document which is of the right shape is damaged all the same. */
  report(id: string, why: string): void {
    this.#storage.report(this.#prefix + id, why);
  }

  /** Each document that is written from this call on, with its name; `undefined` for one that is gone. */
  changes(signal: AbortSignal): AsyncIterable<{ id: string; document: T | undefined }> {
    return this.#documents(this.#storage.watch(this.#prefix, signal));
  }

  async *#documents(changes: AsyncIterable<Change>) {
    for await (const { key, value, revision } of changes) {
      const id = this.#idOf({ key });
      const found = value === undefined ? undefined : this.#understand({ key, value, revision });
      if (found?.why === undefined) yield { id, document: found?.document };
    }
  }

  #idOf({ key }: Pick<Entry, "key">): string {
    return key.slice(this.#prefix.length);
  }

  #read(entry: Entry): T {
    const { document, why } = this.#understand(entry);
    if (why === undefined) return document;
    const todo = this.#options.mend(this.#idOf(entry));
    throw new FairleadError(
      "damaged-record",
      `The record ${entry.key} in the server's database is damaged (${why}). ${todo}`,
    );
  }

  /** The document, or why there is none, which whoever runs the server is told. */
  #understand(entry: Entry): { document: T; why?: never } | { document?: never; why: string } {
    const found = this.#parse(entry);
    if (found.why !== undefined) this.report(this.#idOf(entry), found.why);
    return found;
  }

  #parse(entry: Entry): { document: T; why?: never } | { document?: never; why: string } {
    const { schema, nameIn } = this.#options;
    const value = jsonOf(entry.value);
    if (value === undefined) return { why: "it is no JSON" };
    const { data, error } = schema.safeParse(value);
    if (error) return { why: reasonOf(error) };
    if (nameIn && nameIn(data) !== this.#idOf(entry)) return { why: "it has another name in it" };
    return { document: data };
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

function overtaken(): FairleadError {
  return new FairleadError("conflict", "Others change the same thing all the time; try again.");
}

/** Names the place, and nothing of what stands there. */
function reasonOf({ issues: [issue] }: z.core.$ZodError): string {
  return [...(issue?.path ?? []), issue?.message].join(": ");
}
