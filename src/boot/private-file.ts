/** Files that only their owner may read: how they are opened, checked and written, and the words for everything that can be wrong. */

import { constants } from "node:fs";
import { chmod, type FileHandle, mkdir, open, unlink } from "node:fs/promises";
import { dirname } from "node:path";

/** Largest state or secret file that is read. */
const MAX_FILE = 16 * 1024 * 1024;
const PRIVATE_FILE = 0o600;
export const PRIVATE_DIRECTORY = 0o700;
/** Any of these bits lets somebody else in. */
export const OTHERS = 0o077;
/** A pipe or device in the place of a file must not hold the reader up: hence NONBLOCK. */
const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

/** A file or directory that cannot be trusted or used; the message tells what to do. */
export class StateError extends Error {
  override readonly name = "StateError";
}

/** The text of a secret file without its final newline; throws {@link StateError} when it is absent, empty or not private to this user. */
export async function readSecretFile(path: string): Promise<string> {
  const content = await readPrivate(path);
  if (content === undefined)
    throw new StateError(`${path} does not exist; create it with mode 0600 or name another file`);
  const text = content.replace(/\r?\n$/, "");
  if (text.trim() === "") throw new StateError(`${path} is empty; it must hold the secret and nothing else`);
  return text;
}

/** `undefined` when there is no such file; throws {@link StateError} when it is not private to this user. */
export async function readPrivate(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, READ);
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw worded(path, error);
  }
  try {
    await checkFile(file, path);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

async function checkFile(file: FileHandle, path: string): Promise<void> {
  const found = await file.stat();
  if (!found.isFile()) throw new StateError(`${path} is not a regular file; remove it or name another`);
  if (found.uid !== me()) throw new StateError(foreign(path, found.uid));
  if (found.mode & OTHERS)
    throw new StateError(
      `${path} can be read or written by other users (mode ${octal(found.mode)}); run: chmod 600 ${path}`,
    );
  if (found.size > MAX_FILE) throw new StateError(`${path} is larger than ${MAX_FILE} bytes and is not read`);
}

/**
 * Makes a directory and its parents, where absent, for this user alone. One level after another, because the mode given to
 * `mkdir` is at the mercy of the umask; and not with `recursive`, which never ends where a file system lets nobody make one.
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  if (await makeOne(path)) return;
  await makePrivateDirectory(dirname(path));
  if (!(await makeOne(path))) throw new StateError(`${path} cannot be made; name another directory`);
}

/** `false` when the parent is missing. */
async function makeOne(path: string): Promise<boolean> {
  try {
    await mkdir(path, { mode: PRIVATE_DIRECTORY });
    await chmod(path, PRIVATE_DIRECTORY);
  } catch (error) {
    if (isCode(error, "ENOENT")) return false;
    if (!isCode(error, "EEXIST")) throw error;
  }
  return true;
}

/** Creates a file that must not exist yet, whatever the umask, and brings it to the disk. */
export async function writeNew(path: string, data: string | Uint8Array): Promise<void> {
  const file = await open(path, CREATE, PRIVATE_FILE);
  try {
    await file.chmod(PRIVATE_FILE);
    await file.writeFile(data);
    await file.sync();
  } catch (error) {
    await removeIfThere(path);
    throw error;
  } finally {
    await file.close();
  }
}

/** Names that were made or changed in a directory outlive a power cut only after this. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

export async function removeIfThere(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
}

/** Runs file work and gives a system error words that name the path and the way out. */
export async function wording<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw worded(path, error);
  }
}

const ADVICE: Record<string, string> = {
  ELOOP: "it is a symbolic link; name the file itself",
  EACCES: "this user may not use it; change its owner or run as the user who owns it",
  EPERM: "this user may not use it; change its owner or run as the user who owns it",
  ENOTDIR: "a part of that path is not a directory",
  ENOSPC: "the disk is full; free some space",
  EDQUOT: "this user's share of the disk is full; free some space",
  EROFS: "the file system is read-only; name a directory on another",
};

function worded(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("code" in error)) return error;
  const words = ADVICE[String(error.code)] ?? error.message;
  return new StateError(`cannot use ${path}: ${words}`, { cause: error });
}

/** Whether a file cannot be made because the disk is full or read-only: as the system says it, or in the words of here. */
export function isUnwritable(error: unknown): boolean {
  const cause = error instanceof StateError ? error.cause : error;
  return ["ENOSPC", "EDQUOT", "EROFS"].some((code) => isCode(cause, code));
}

export function foreign(path: string, uid: number): string {
  return `${path} belongs to user ${uid}, not to the user running this (${me()}); run: chown ${me()} ${path}`;
}

export function octal(mode: number): string {
  return `0${(mode & 0o7777).toString(8)}`;
}

/** The user whose files are trusted. */
export function me(): number {
  return process.geteuid?.() ?? 0;
}

export function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
