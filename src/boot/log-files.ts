/** Log files in a directory that together never exceed a size, restarts included; a disk that is full or away costs lines, never the program. */

import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, stat, statfs } from "node:fs/promises";
import { join, resolve } from "node:path";
import { isCode, makePrivateDirectory, removeIfThere, syncDirectory } from "./private-file.ts";

/** The current file takes at most this share of the whole, so rotation drops a quarter of the history at a time. */
const SHARE = 4;
/** Milliseconds between attempts while the directory cannot be written. */
const RETRY_MS = 5_000;
const OPEN = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export interface LogFilesOptions {
  directory: string;
  /** First part of the files' names: `agent.log`, then `agent.1.log` and so on, the highest number being the newest. */
  name: string;
  /** Bytes that all files together may take. */
  maxSize: number;
  /** Told once when writing fails and once when it works again. */
  onChange: (state: { broken: string } | { lost: number }) => void;
  retryMs?: number;
  /** What was written is on the disk. */
  durable?: boolean;
  /** Rotated files that were last written to longer ago than this, in milliseconds, are removed. */
  maxAge?: number;
  /** Called before a rotated file is removed, with the bound that was reached. */
  onRemove?: (path: string, bound: "size" | "age") => Promise<void>;
}

/** `retryAt` is on the monotonic clock; `size` is what the largest text had that could not be written, in bytes. */
interface Outage {
  retryAt: number;
  lost: number;
  size: number;
}

export class LogFiles {
  readonly #options: LogFilesOptions;
  readonly #path: string;
  readonly #segment: number;
  #file: FileHandle | undefined;
  #outage: Outage | undefined;

  constructor(options: LogFilesOptions) {
    this.#options = options;
    this.#path = join(options.directory, `${options.name}.log`);
    this.#segment = Math.floor(options.maxSize / SHARE);
  }

  /** Longest text that {@link write} takes, in bytes. */
  get room(): number {
    return this.#segment;
  }

  /** Appends whole lines; rejects when they could not be written. Must not be called again before it settled. */
  async write(text: string, lines: number): Promise<void> {
    const outage = this.#outage;
    if (outage && performance.now() < outage.retryAt) {
      outage.lost += lines;
      throw new Error("the last attempt failed a moment ago");
    }
    const bytes = Buffer.from(text);
    try {
      if (outage) await this.#checkRoom(outage.size);
      await this.#append(bytes);
    } catch (error) {
      await this.close();
      const retryAt = performance.now() + (this.#options.retryMs ?? RETRY_MS);
      const size = Math.max(outage?.size ?? 0, bytes.length);
      this.#outage = { lost: (outage?.lost ?? 0) + lines, retryAt, size };
      if (!outage) this.#options.onChange({ broken: error instanceof Error ? error.message : String(error) });
      throw error;
    }
    this.#outage = undefined;
    if (outage) this.#options.onChange({ lost: outage.lost });
  }

  /** Idempotent; a later write opens the file again. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => undefined);
  }

  /** A short text often fits where the one before did not: then the disk is as full as it was. */
  async #checkRoom(size: number): Promise<void> {
    const disk = await statfs(this.#options.directory).catch(() => undefined);
    // Some file systems tell nothing of themselves; others keep a part for root.
    if (!disk?.blocks) return;
    const free = process.geteuid?.() === 0 ? disk.bfree : disk.bavail;
    if (free * disk.bsize < size) throw new Error("the disk is still full");
  }

  async #append(bytes: Buffer): Promise<void> {
    const { file, size } = await this.#current(bytes.length);
    let written = 0;
    try {
      while (written < bytes.length) written += (await file.write(bytes, written)).bytesWritten;
      if (this.#options.durable) await file.datasync();
    } catch (error) {
      // Half a line would spoil the file for whoever reads it as JSON.
      if ((await file.stat()).size === size + written) await file.truncate(size);
      throw error;
    }
  }

  /** The file to append to, with room for so many bytes; notices when somebody else moved it away. */
  async #current(room: number): Promise<{ file: FileHandle; size: number }> {
    const file = (this.#file ??= await this.#open());
    const [here, there] = await Promise.all([file.stat(), stat(this.#path).catch(() => undefined)]);
    const moved = there?.ino !== here.ino || there.dev !== here.dev;
    if (!moved && (here.size === 0 || here.size + room <= this.#segment)) return { file, size: here.size };
    await this.close();
    if (!moved) await this.#rotate();
    return this.#current(room);
  }

  async #open(): Promise<FileHandle> {
    await makePrivateDirectory(resolve(this.#options.directory));
    await this.#prune();
    const file = await open(this.#path, OPEN, 0o600);
    if (this.#options.durable) await syncDirectory(this.#options.directory);
    return file;
  }

  async #rotate(): Promise<void> {
    const newest = (await this.#archives()).at(-1)?.number ?? 0;
    const next = join(this.#options.directory, `${this.#options.name}.${newest + 1}.log`);
    await rename(this.#path, next).catch((error: unknown) => {
      // Another program of this name was quicker.
      if (!isCode(error, "ENOENT")) throw error;
    });
  }

  /** Removes the oldest until a full current file fits beside the rest, and what is older than it may be. */
  async #prune(): Promise<void> {
    const { maxSize, maxAge = Number.POSITIVE_INFINITY, onRemove } = this.#options;
    const archives = await this.#archives();
    let total = archives.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size, written } of archives) {
      const full = total > maxSize - this.#segment;
      if (!full && Date.now() - written <= maxAge) return;
      await onRemove?.(path, full ? "size" : "age");
      await removeIfThere(path);
      total -= size;
    }
  }

  /** Rotated files, oldest first. */
  async #archives(): Promise<{ path: string; number: number; size: number; written: number }[]> {
    const { directory, name } = this.#options;
    const found = [];
    for (const entry of await readdir(directory)) {
      const number = entry.startsWith(`${name}.`) && /^\.(\d{1,15})\.log$/.exec(entry.slice(name.length))?.[1];
      if (!number) continue;
      const path = join(directory, entry);
      const file = await stat(path).catch(() => undefined);
      if (file?.isFile()) found.push({ path, number: Number(number), size: file.size, written: file.mtimeMs });
    }
    return found.sort((one, other) => one.number - other.number);
  }
}
