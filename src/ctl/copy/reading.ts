/** Reads what is to be copied from this machine, with words for what cannot be read. */

import { closeSync, constants, fstatSync, openSync, read, readSync, type Stats } from "node:fs";
import { promisify } from "node:util";
import { Failure } from "../failure.ts";

/**
 * Milliseconds that a read or a write may hold up everything else, Ctrl-C and the answers to the connection's pings too. A
 * disk that has to seek needs 20, the kernel's memory less than one; nobody notices 50.
 */
export const PATIENCE = 50;
/** A pipe that has taken the place of a file is not waited for, a link is not followed. */
const FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const readAside = promisify(read);

export interface OpenFile {
  descriptor: number;
  path: string;
  /** What it was when it was opened. */
  stats: Stats;
}

/** To be closed by the caller; `undefined` for what is no file. Throws {@link Failure}. */
export function openFile(path: string): OpenFile | undefined {
  const descriptor = explained(path, () => openSync(path, FLAGS));
  const stats = fstatSync(descriptor);
  if (stats.isFile()) return { descriptor, path, stats };
  closeSync(descriptor);
  return undefined;
}

/** The system makes it up while it is read, like those below /proc: it says that it is empty, and is not. */
export function isMadeUp({ descriptor, path, stats }: OpenFile): boolean {
  if (stats.size > 0) return false;
  const count = explained(path, () => readSync(descriptor, Buffer.alloc(1), 0, 1, 0));
  return count > 0 && fstatSync(descriptor).size === 0;
}

/**
 * Reads by calls that are waited for, as long as they are quick: the kernel has read ahead, and a thread that reads instead
 * costs more than the reading. After the first slow one it is threads that wait.
 */
export class Reader {
  readonly #now: () => number;
  #slow = false;

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Resolves with how many bytes came, at least one; rejects with {@link Failure}, where the file ends too. */
  async read({ descriptor, path }: Pick<OpenFile, "descriptor" | "path">, into: Uint8Array): Promise<number> {
    try {
      const count = this.#slow
        ? (await readAside(descriptor, into, 0, into.length, null)).bytesRead
        : this.#readNow(descriptor, into);
      if (count > 0) return count;
    } catch (cause) {
      throw unreadable(path, cause);
    }
    throw new Failure(`${path} became shorter while it was copied. Run it again.`, { exit: 1 });
  }

  #readNow(descriptor: number, into: Uint8Array): number {
    const begun = this.#now();
    const count = readSync(descriptor, into);
    this.#slow = this.#now() - begun > PATIENCE;
    return count;
  }
}

/** What `work` gives; throws {@link Failure} for what the system has against it. */
export function explained<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

function unreadable(path: string, cause: unknown): Failure {
  return new Failure(`${path} cannot be read: ${wordsOf(cause)}.`, { cause, exit: 1 });
}

const WORDS = new Map([
  ["ENOENT", "it does not exist"],
  ["EACCES", "permission denied"],
  ["ENOTDIR", "a part of its path is a file"],
  ["ELOOP", "it has just become a link"],
]);

/** What the system has against something, for people. */
export function wordsOf(cause: unknown): string {
  const { code = "", message } = cause as NodeJS.ErrnoException;
  return WORDS.get(code) ?? message;
}
