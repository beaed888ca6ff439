/**
 * The audit log: records in files of bounded size, each on the disk before the next ones are begun, chained over rotations
 * and restarts. What waits for its record hears when it cannot be written; everything else is kept and written later.
 */

import { type FileHandle, open, stat } from "node:fs/promises";
import { join } from "node:path";
import { LogFiles } from "../boot/log-files.ts";
import type { AuditLine, AuditVerdict } from "../protocol/audit.ts";
import { FairleadError } from "../protocol/errors.ts";
import { auditFiles, HEAD_FILE, linesOf, NAME } from "./files.ts";
import { type Past, repair } from "./past.ts";
import { type Head, seal, unseal } from "./record.ts";
import { verify } from "./verify.ts";

/** Characters of lines that wait for a disk that is full or away; beyond, lines are counted and lost. */
const MAX_WAITING = 1_048_576;
/** Most records of one write: how much a reader may find missing while it is under way. */
const MAX_BATCH = 256;
/** Milliseconds between attempts while the directory cannot be written. */
const RETRY_MS = 1_000;
/** The end of the chain always takes as many bytes, so that it is overwritten and never cut. */
const HEAD_BYTES = 128;

/** Takes a line down. What it returns settles when what the line tells of may begin, and rejects when it may not. */
export type Audit = (line: AuditLine) => Promise<void> | void;

export interface AuditLogOptions {
  /** Whose it is. */
  program: "agent" | "server";
  directory: string;
  /** Bytes that all files together may take. */
  maxSize: number;
  /** Milliseconds after which a rotated file is removed; 0: never. */
  maxAge: number;
  /** Kinds that must not begin before their record is on the disk. */
  required: ReadonlySet<string>;
  version: string;
  /** Told once when writing fails and once when it works again, and when records are removed. */
  onTrouble: (trouble: Trouble) => void;
}

export type Trouble =
  | { broken: string }
  | { lost: number }
  | { removed: string; bound: "size" | "age" }
  | Pick<Past, "missing" | "unfinished">;

/** What was written, as it was written. */
export type Listener = (text: string) => void;

interface Waiting {
  line: AuditLine;
  time: number;
  size: number;
  /** Of a line that somebody waits for: it is written now or never. */
  waiter?: { resolve: () => void; reject: (error: Error) => void };
}

export class AuditLog {
  /** Since the start: records written, attempts to write that failed, and records that were lost. */
  written = 0;
  failures = 0;
  lost = 0;
  readonly #options: AuditLogOptions;
  readonly #files: LogFiles;
  readonly #listeners = new Set<Listener>();
  #head: Head;
  #headFile: FileHandle | undefined;
  #waiting: Waiting[] = [];
  #size = 0;
  /** Not told in the chain yet. */
  #lost = 0;
  #draining: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;

  /** Finishes what an earlier process left. Rejects when the files cannot be read; that they cannot be written is no reason. */
  static async open(options: AuditLogOptions): Promise<AuditLog> {
    const past = await repair(options.directory);
    const log = new AuditLog(options, past.head);
    const { version, program } = options;
    const { unfinished, missing } = past;
    if (past.clean) log.append({ event: `${program}-started`, version });
    else log.append({ event: `${program}-restarted`, version, unfinished, missing });
    if (missing > 0 || unfinished > 0) options.onTrouble({ missing, unfinished });
    for (const { session, kind, subject, remote, node, container, containerName } of past.open)
      log.append({
        event: "end",
        session,
        kind,
        subject,
        remote,
        node,
        container,
        containerName,
        outcome: `${program}-restarted`,
      });
    return log;
  }

  private constructor(options: AuditLogOptions, head: Head) {
    this.#options = options;
    this.#head = head;
    this.#files = new LogFiles({
      directory: options.directory,
      name: NAME,
      maxSize: options.maxSize,
      retryMs: 0,
      durable: true,
      ...(options.maxAge > 0 && { maxAge: options.maxAge }),
      onChange: (state) => "broken" in state && options.onTrouble(state),
      onRemove: (path, bound) => this.#remove(path, bound),
    });
  }

  /** As the kind of the line asks for. */
  readonly record: Audit = (line) => {
    const { required } = this.#options;
    return line.event === "open" && required.has(line.kind ?? "") ? this.appendNow(line) : this.append(line);
  };

  /** Never waits and never throws: what cannot be written now is written when it can. */
  append(line: AuditLine): void {
    this.#push({ line, time: Date.now(), size: JSON.stringify(line).length });
  }

  /** Resolves when it is on the disk; rejects with `audit-unavailable` when it cannot be written now, and then it never is. */
  appendNow(line: AuditLine): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#push({ line, time: Date.now(), size: JSON.stringify(line).length, waiter: { resolve, reject } });
    });
  }

  /** Hears each record once it is written, until the returned function is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The number of the last record that is written. */
  get seq(): number {
    return this.#head.seq;
  }

  /** Records that wait for the disk. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Of all files together, in bytes. */
  async size(): Promise<number> {
    const files = await Promise.all((await this.files()).map((file) => stat(file).catch(() => undefined)));
    return files.reduce((sum, file) => sum + (file?.size ?? 0), 0);
  }

  files(): Promise<string[]> {
    return auditFiles(this.#options.directory);
  }

  /** Of the files as they are, up to the record that is the last one now. */
  async verify(): Promise<AuditVerdict> {
    await this.#draining;
    return verify(await this.files(), this.#head);
  }

  /** Writes what it can, and that the program ended as it was told. */
  async close(): Promise<void> {
    this.append({ event: `${this.#options.program}-ended` });
    this.#wake();
    await this.#draining;
    clearTimeout(this.#retry);
    await this.#files.close();
    await this.#headFile?.close();
  }

  #push(waiting: Waiting): void {
    if (this.#size + waiting.size > MAX_WAITING) {
      if (waiting.waiter) waiting.waiter.reject(unavailable("too many records wait for it"));
      else this.#lose();
      return;
    }
    this.#waiting.push(waiting);
    this.#size += waiting.size;
    // Who waits is told now, whatever the last attempt has shown.
    if (this.#retry === undefined || waiting.waiter) this.#wake();
  }

  #lose(): void {
    this.#lost += 1;
    this.lost += 1;
  }

  #wake(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#draining ??= this.#drain().finally(() => {
      this.#draining = undefined;
      if (this.#waiting.length > 0 && this.#retry === undefined) this.#wake();
    });
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0 && this.#retry === undefined) {
      const batch = this.#take();
      const { texts, head } = this.#sealed(batch);
      try {
        await this.#files.write(texts.join(""), texts.length);
        this.#wrote(batch, { texts, head });
        await this.#keepHead();
      } catch (error) {
        this.#failed(batch, error);
      }
    }
  }

  #take(): Waiting[] {
    const batch: Waiting[] = [];
    let room = this.#files.room / 2;
    for (const waiting of this.#waiting.slice(0, MAX_BATCH)) {
      room -= 2 * waiting.size;
      if (room < 0 && batch.length > 0) break;
      batch.push(waiting);
    }
    this.#waiting.splice(0, batch.length);
    for (const { size } of batch) this.#size -= size;
    return batch;
  }

  #sealed(batch: readonly Waiting[]): { texts: string[]; head: Head } {
    const gap = this.#lost > 0 ? [{ line: { event: "lost", count: this.#lost } as const, time: Date.now() }] : [];
    const texts: string[] = [];
    let head = this.#head;
    for (const { line, time } of [...gap, ...batch]) {
      const sealed = seal(line, time, head);
      texts.push(sealed.text);
      head = sealed.head;
    }
    return { texts, head };
  }

  #wrote(batch: readonly Waiting[], { texts, head }: { texts: string[]; head: Head }): void {
    this.#head = head;
    this.written += texts.length;
    if (texts.length > batch.length) {
      this.#options.onTrouble({ lost: this.#lost });
      this.#lost = 0;
    }
    for (const { waiter } of batch) waiter?.resolve();
    for (const text of texts) for (const listener of this.#listeners) listener(text);
  }

  /** Nothing of it was written. What nobody waits for goes back to where it was. */
  #failed(batch: readonly Waiting[], error: unknown): void {
    this.failures += 1;
    const kept = batch.filter(({ waiter }) => !waiter);
    this.#waiting.unshift(...kept);
    for (const { size } of kept) this.#size += size;
    for (const { waiter } of batch) waiter?.reject(unavailable(error instanceof Error ? error.message : String(error)));
    this.#retry = setTimeout(() => this.#wake(), RETRY_MS).unref();
  }

  /** Without it a missing end is not noticed, and nothing else is lost: so it stops nothing. */
  async #keepHead(): Promise<void> {
    try {
      this.#headFile ??= await open(join(this.#options.directory, HEAD_FILE), "w", 0o600);
      await this.#headFile.write(JSON.stringify(this.#head).padEnd(HEAD_BYTES), 0);
    } catch {
      this.failures += 1;
    }
  }

  /** The place where the chain is cut is told in the chain. */
  async #remove(path: string, bound: "size" | "age"): Promise<void> {
    let last: Head | undefined;
    let count = 0;
    for await (const { text } of linesOf([path])) {
      count += 1;
      last = unseal(text) ?? last;
    }
    this.append({ event: "removed", bound, count, ...(last && { through: last.seq, throughHash: last.hash }) });
    this.#options.onTrouble({ removed: path, bound });
  }
}

function unavailable(why: string): FairleadError {
  return new FairleadError(
    "audit-unavailable",
    `This must stand in the audit log before it begins, and the log cannot be written: ${why}`,
  );
}
