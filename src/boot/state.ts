/** The state directory of a program: private to its owner, its files replaced whole or not at all. */

import { randomBytes } from "node:crypto";
import { chmod, link, lstat, readdir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  foreign,
  isCode,
  makePrivateDirectory,
  me,
  OTHERS,
  PRIVATE_DIRECTORY,
  octal,
  readPrivate,
  removeIfThere,
  StateError,
  syncDirectory,
  wording,
  writeNew,
} from "./private-file.ts";

/** Of the name that a file has before it has its own. */
const RANDOM_BYTES = 6;

/** Files of one program in one directory. Names are plain file names chosen by the program, never by a user. */
export class StateDirectory {
  readonly path: string;
  #turn: Promise<void> = Promise.resolve();

  private constructor(path: string) {
    this.path = path;
  }

  /** Makes the directory and its parents (0700) where absent; throws {@link StateError} when somebody else owns it or gets in. */
  static async open(path: string): Promise<StateDirectory> {
    const absolute = resolve(path);
    await wording(absolute, async () => {
      await makePrivateDirectory(absolute);
      await checkDirectory(absolute);
    });
    return new StateDirectory(absolute);
  }

  /** The text, or `undefined` when there is no such file; throws {@link StateError} when it is not private. */
  async read(name: string): Promise<string | undefined> {
    return readPrivate(join(this.path, name));
  }

  /**
   * Writes a file that must not exist yet, whole or not at all; `false` when it exists. Several programs may try at once, as
   * the claim to the directory begins: what each writes has a name of its own until then.
   */
  async create(name: string, data: string | Uint8Array): Promise<boolean> {
    return this.#inTurn(async () => {
      const path = join(this.path, name);
      // Who finds the file needs no room for another.
      if (await isThere(path)) return false;
      const own = `${path}.${randomBytes(RANDOM_BYTES).toString("hex")}.new`;
      await writeNew(own, data);
      try {
        await link(own, path);
      } catch (error) {
        if (isCode(error, "EEXIST")) return false;
        throw error;
      } finally {
        await removeIfThere(own);
      }
      await syncDirectory(this.path);
      return true;
    });
  }

  /** After a crash at any point the file holds either all of the old content or all of the new. */
  async replace(name: string, data: string | Uint8Array): Promise<void> {
    await this.#inTurn(async () => {
      const path = join(this.path, name);
      // A crash may have left an earlier one; it was never anybody's truth.
      await removeIfThere(`${path}.new`);
      await writeNew(`${path}.new`, data);
      await rename(`${path}.new`, path);
      await syncDirectory(this.path);
    });
  }

  /** Nothing happens when the file is not there. */
  async remove(name: string): Promise<void> {
    await this.#inTurn(() => removeIfThere(join(this.path, name)));
  }

  /** Those who replace one name share its `.new` file, so they go one after another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(() => wording(this.path, work));
    this.#turn = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isCode(error, "ENOENT")) return false;
    throw error;
  }
}

async function checkDirectory(path: string): Promise<void> {
  const found = await lstat(path);
  if (found.isSymbolicLink()) throw new StateError(`${path} is a symbolic link; name the directory itself`);
  if (!found.isDirectory()) throw new StateError(`${path} is not a directory; remove it or name another`);
  if (found.uid !== me()) throw new StateError(foreign(path, found.uid));
  if ((found.mode & OTHERS) === 0) return;
  // A fresh volume comes as 0755 and holds nothing yet, so nobody loses access to anything.
  if ((found.mode & 0o022) === 0 && (await readdir(path)).length === 0) return chmod(path, PRIVATE_DIRECTORY);
  throw new StateError(`${path} is open to other users (mode ${octal(found.mode)}); run: chmod 700 ${path}`);
}
