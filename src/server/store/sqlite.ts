/** Storage in one SQLite file: what is asked for in one turn of the event loop goes to the disk together. */

import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { FairleadError } from "../../protocol/errors.ts";
import { Changes } from "./changes.ts";
import { storageFailure } from "./failure.ts";
import { migrate } from "./migrations.ts";
import { type Change, Conflict, type Entry, type JournalEntry, type JournalWish, type Storage } from "./storage.ts";
import type { StorageTrouble } from "./trouble.ts";

/** Changes that go to the disk together at most. */
const MAX_BATCH = 1_000;
/** Changes that wait for the disk; beyond, new ones are refused. */
const MAX_WAITING = 20_000;
/** How long another process (a backup, a command) may hold the file, in milliseconds. */
const BUSY_MS = 5_000;
/** How often it is tried whether a database can be written again that could not, in milliseconds. */
const RETRY_MS = 2_000;

/** Runs inside the transaction; what it returns is called once that is on the disk. */
type Job = { run: () => () => void; fail: (error: unknown) => void };

export class SqliteStorage implements Storage {
  /** Transactions that are on the disk, those that failed, and the milliseconds that both took. */
  commits = 0;
  failures = 0;
  commitMs = 0;
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #onTrouble: (trouble: StorageTrouble) => void;
  readonly #changes = new Changes();
  readonly #statements = new Map<string, StatementSync>();
  /** Keys of values that were found to be damaged. */
  readonly #damaged = new Set<string>();
  #waiting: Job[] = [];
  #scheduled = false;
  #broken = false;
  #retry: NodeJS.Timeout | undefined;

  /** Opens the file, or makes it, and brings it to this version's shape. Throws with words when it is of a newer one, or cannot be used. */
  static open(path: string, onTrouble: (trouble: StorageTrouble) => void = () => {}): SqliteStorage {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path, { timeout: BUSY_MS });
      // Full: a change that was acknowledged outlives a power cut, not only this process.
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;");
      migrate(db);
      return new SqliteStorage(db, { path, onTrouble });
    } catch (error) {
      db?.close();
      throw storageFailure(path, error);
    }
  }

  private constructor(
    db: DatabaseSync,
    { path, onTrouble }: { path: string; onTrouble: (trouble: StorageTrouble) => void },
  ) {
    this.#db = db;
    this.#path = path;
    this.#onTrouble = onTrouble;
  }

  /** Changes that wait for a transaction. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Whether the last transaction reached the disk. */
  get writable(): boolean {
    return !this.#broken;
  }

  /** Values that were found to be damaged, and that nobody has replaced or removed. */
  get damaged(): number {
    return this.#damaged.size;
  }

  async get(key: string): Promise<Entry | undefined> {
    const sql = "SELECT key, value, revision FROM entries WHERE key = ?";
    return this.#look(() => this.#statement(sql).get(key)) as Entry | undefined;
  }

  async list(prefix: string): Promise<Entry[]> {
    const sql = "SELECT key, value, revision FROM entries WHERE key >= ? AND key < ? ORDER BY key";
    return this.#look(() => this.#statement(sql).all(prefix, beyond(prefix))) as unknown as Entry[];
  }

  async count(prefix: string): Promise<number> {
    const sql = "SELECT count(*) AS count FROM entries WHERE key >= ? AND key < ?";
    return Number(this.#look(() => this.#statement(sql).get(prefix, beyond(prefix)))?.["count"]);
  }

  put(key: string, value: string, expected?: number): Promise<number> {
    return this.#change((revision) => {
      this.#expect(key, expected);
      const sql =
        "INSERT INTO entries (key, value, revision) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET value = ?2, revision = ?3";
      this.#run(sql, key, value, revision);
      return { result: revision, change: { key, value, revision } };
    });
  }

  async remove(key: string, expected?: number): Promise<void> {
    await this.#change((revision) => {
      this.#expect(key, expected);
      this.#run("DELETE FROM entries WHERE key = ?", key);
      return { result: undefined, change: { key, value: undefined, revision } };
    });
  }

  watch(prefix: string, signal: AbortSignal): AsyncIterable<Change> {
    return this.#changes.watch(prefix, signal);
  }

  async append(journal: string, value: string, keep: number): Promise<number> {
    const added = await this.#change(() => {
      const last = this.#statement("SELECT max(seq) AS seq FROM journal WHERE name = ?").get(journal);
      const seq = Number(last?.["seq"] ?? 0) + 1;
      this.#run("INSERT INTO journal (name, seq, value) VALUES (?, ?, ?)", journal, seq, value);
      this.#run("DELETE FROM journal WHERE name = ? AND seq <= ?", journal, seq - keep);
      return { result: seq, change: { key: `journal/${journal}`, value: String(seq), revision: seq } };
    });
    this.#letGo(`journal/${journal}/`, added - keep);
    return added;
  }

  async read(journal: string, { after, limit }: JournalWish): Promise<JournalEntry[]> {
    const order = after === undefined ? "DESC" : "ASC";
    const sql = `SELECT seq, value FROM journal WHERE name = ? AND seq > ? ORDER BY seq ${order} LIMIT ?`;
    const found = this.#look(() => this.#statement(sql).all(journal, after ?? 0, limit)) as unknown as JournalEntry[];
    return after === undefined ? found.toReversed() : found;
  }

  report(key: string, why: string): void {
    if (this.#damaged.has(key)) return;
    this.#damaged.add(key);
    this.#onTrouble({ damaged: key, why });
  }

  /** What was asked for before is on the disk first. Idempotent. */
  async close(): Promise<void> {
    if (!this.#db.isOpen) return;
    while (this.#waiting.length > 0) this.#commit();
    clearTimeout(this.#retry);
    this.#db.close();
  }

  #change<T>(work: (revision: number) => { result: T; change: Change }): Promise<T> {
    if (this.#waiting.length >= MAX_WAITING)
      throw new FairleadError("too-many", "More changes wait for the server's disk than it can hold; try again.");
    return new Promise<T>((resolve, reject) => {
      const run = () => {
        const { result, change } = work(this.#nextRevision());
        return () => {
          resolve(result);
          this.#damaged.delete(change.key);
          this.#changes.tell(change);
        };
      };
      this.#add({ run, fail: reject });
    });
  }

  #add(job: Job): void {
    this.#waiting.push(job);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#db.isOpen) this.#commit();
      if (this.#waiting.length > 0) this.#schedule();
    });
  }

  /** One transaction. A change that is refused has written nothing, so the others go on without it. */
  #commit(): void {
    const batch = this.#waiting.splice(0, MAX_BATCH);
    const done: (() => void)[] = [];
    const began = performance.now();
    try {
      this.#db.exec("BEGIN IMMEDIATE");
      for (const { run, fail } of batch)
        try {
          done.push(run());
        } catch (error) {
          if (!(error instanceof Conflict)) throw error;
          done.push(() => fail(error));
        }
      this.#db.exec("COMMIT");
      this.commits += 1;
    } catch (error) {
      return this.#failed(batch, storageFailure(this.#path, error));
    } finally {
      this.commitMs += performance.now() - began;
    }
    for (const tell of done) tell();
    if (this.#broken) this.#onTrouble({ mended: true });
    this.#broken = false;
  }

  /** Whoever runs the server hears of it once, and again when it is over: so that is found out without anybody's change. */
  #failed(batch: readonly Job[], error: unknown): void {
    this.failures += 1;
    this.#rollBack();
    for (const { fail } of batch) fail(error);
    if (!this.#broken) this.#onTrouble({ broken: error instanceof Error ? error.message : String(error) });
    this.#broken = true;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#add({ run: () => this.#touch(), fail: () => {} }), RETRY_MS).unref();
  }

  /** SQLite has mostly done so itself. Where it cannot, the next transaction fails too, and comes here again. */
  #rollBack(): void {
    try {
      if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
    } catch {
      // Told is why the transaction failed.
    }
  }

  /** Changes nothing that anybody reads. */
  #touch(): () => void {
    this.#nextRevision();
    return () => {};
  }

  /** Of the entries up to `last` there is nothing any more that could be damaged. */
  #letGo(prefix: string, last: number): void {
    for (const key of this.#damaged)
      if (key.startsWith(prefix) && Number(key.slice(prefix.length)) <= last) this.#damaged.delete(key);
  }

  #look<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw storageFailure(this.#path, error);
    }
  }

  #expect(key: string, expected: number | undefined): void {
    if (expected === undefined) return;
    const found = this.#statement("SELECT revision FROM entries WHERE key = ?").get(key);
    if (Number(found?.["revision"] ?? 0) !== expected) throw new Conflict(`${key} was changed meanwhile`);
  }

  #nextRevision(): number {
    const row = this.#statement("UPDATE counter SET revision = revision + 1 RETURNING revision").get();
    return Number(row?.["revision"]);
  }

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#statement(sql).run(...values);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql) ?? this.#db.prepare(sql);
    this.#statements.set(sql, known);
    return known;
  }
}

/** Behind every key that begins so. */
function beyond(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}
