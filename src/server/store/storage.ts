/**
 * Where the server keeps what must not be lost: values by key, and journals of which the end is kept. One replica fills it
 * with SQLite; several would share one, so nothing here asks for more than one key at a time.
 */

/** `revision` rises with each change of anything, and no two values ever have the same one. */
export interface Entry {
  key: string;
  value: string;
  revision: number;
}

/** A value that is gone is told without one. */
export type Change = Omit<Entry, "value"> & { value: string | undefined };

/** Somebody else has changed the value since it was read: read it again and decide anew. */
export class Conflict extends Error {
  override readonly name = "Conflict";
}

export interface JournalEntry {
  /** Rises by one from entry to entry of one journal. */
  seq: number;
  value: string;
}

export interface JournalWish {
  /** Only entries after this one. */
  after?: number;
  /** So many at most: of those after `after` the first ones; without `after` the last ones. */
  limit: number;
}

/**
 * Everything that resolves is on the disk, and stays there whatever happens to this process or its machine. What the disk
 * refuses rejects with `storage-unavailable`, and then nothing of it was done.
 */
export interface Storage {
  get(key: string): Promise<Entry | undefined>;
  /** In the order of their keys. */
  list(prefix: string): Promise<Entry[]>;
  /** How many there are, without reading them. */
  count(prefix: string): Promise<number>;
  /** `expected` is the revision that the value must still have, 0: there must be none. Rejects with {@link Conflict} otherwise. */
  put(key: string, value: string, expected?: number): Promise<number>;
  /** The same for removing; nothing happens when there is none. */
  remove(key: string, expected?: number): Promise<void>;
  /** Changes from now on, until the signal aborts. A reader that does not keep up is told of the newest change of each key only. */
  watch(prefix: string, signal: AbortSignal): AsyncIterable<Change>;
  /** Adds to the end of a journal, and lets go of its beginning where it holds more than `keep`. */
  append(journal: string, value: string, keep: number): Promise<number>;
  read(journal: string, wish: JournalWish): Promise<JournalEntry[]>;
  /** Tells whoever runs the server, once, that a value cannot be understood. */
  report(key: string, why: string): void;
  close(): Promise<void>;
}
