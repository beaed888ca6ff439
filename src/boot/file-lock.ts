/** A file that one process at a time holds. However that one ends, the system lets go of it: no pid is asked after. */

import { DatabaseSync } from "node:sqlite";
import { StateError } from "./private-file.ts";

/** SQLite's word for a file that another has. */
const BUSY = 5;

/**
 * Node locks no files, but SQLite does, with the system's own locks (fcntl): they know no pid namespaces, so containers that
 * share a volume shut each other out too. Nothing is ever written to the file, so it may be on a disk that is full.
 */
export class FileLock {
  readonly #db: DatabaseSync;

  /**
   * Takes an empty file that is there; undefined while somebody else has it. It must not be opened in any other way in
   * this process, whose system would let go of it then. Where it can only be read, several may have it.
   */
  static take(path: string): FileLock | undefined {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path);
      db.exec("PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
      return new FileLock(db);
    } catch (cause) {
      db?.close();
      const { errcode, message } = cause as { errcode?: number; message: string };
      if (errcode === BUSY) return undefined;
      throw new StateError(
        `${path} cannot be locked (${message}); remove it if it is not an empty file, else name a directory on another file system`,
        { cause },
      );
    }
  }

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  release(): void {
    this.#db.close();
  }
}
