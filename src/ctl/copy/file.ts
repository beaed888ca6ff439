/** The bytes of a file out of an archive, onto the disk. */

import { writeSync, writev } from "node:fs";
import { promisify } from "node:util";
import type { ExtractEvents } from "tar-stream";
import { Failure } from "../failure.ts";
import { PATIENCE } from "./reading.ts";

/** What threads write is collected up to so many bytes. */
const GATHER = 1024 * 1024;

const writeAside = promisify(writev);

/** A header and the bytes of what it describes. */
export type Entry = ExtractEvents["entry"][1];

interface FileWriterOptions {
  /** Hears of bytes that nobody needs any more. */
  written: (piece: Uint8Array) => void;
  now?: () => number;
}

/**
 * Writes by calls that are waited for, as long as they are quick: the kernel's memory takes the bytes while the processor
 * still has them at hand. After the first slow one, of a disk that cannot keep up, it is threads that wait.
 */
export class FileWriter {
  readonly #written: FileWriterOptions["written"];
  readonly #now: () => number;
  #slow = false;

  constructor({ written, now = () => performance.now() }: FileWriterOptions) {
    this.#written = written;
    this.#now = now;
  }

  /** Resolves when all of it is written; rejects with the system's words, or {@link Failure}. */
  async write(entry: Pick<Entry, typeof Symbol.asyncIterator>, descriptor: number): Promise<void> {
    let gathered: Uint8Array[] = [];
    let size = 0;
    for await (const bytes of entry as AsyncIterable<Uint8Array>) {
      if (!this.#slow) {
        this.#writeNow(descriptor, bytes);
        continue;
      }
      gathered.push(bytes);
      size += bytes.length;
      if (size < GATHER) continue;
      await this.#writeAll(descriptor, gathered, size);
      gathered = [];
      size = 0;
    }
    if (size > 0) await this.#writeAll(descriptor, gathered, size);
  }

  #writeNow(descriptor: number, bytes: Uint8Array): void {
    const begun = this.#now();
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    this.#slow = this.#now() - begun > PATIENCE;
    this.#written(bytes);
  }

  async #writeAll(descriptor: number, pieces: Uint8Array[], size: number): Promise<void> {
    const { bytesWritten } = await writeAside(descriptor, pieces);
    if (bytesWritten !== size) throw new Failure("There is no room left on this machine.", { exit: 1 });
    for (const piece of pieces) this.#written(piece);
  }
}
