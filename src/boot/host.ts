/** The thin shell around configuration: what it takes from the process and the file system. */

import { closeSync, constants, fstatSync, openSync, readFileSync } from "node:fs";
import { homedir, hostname } from "node:os";
import { isCode } from "./private-file.ts";
import type { Host } from "./setting.ts";
import type { FileContent } from "./sources.ts";

/** Far more than any configuration; something else given by mistake is not read into memory. */
const MAX_FILE = 1024 * 1024;

/** What this machine and this process contribute to a configuration. */
export function thisHost(): Host {
  return { hostname: hostname(), home: homedir(), cwd: process.cwd(), env: process.env };
}

/** `undefined` when there is no such file; throws an error whose message names the path and what to do. */
export function readFile(path: string): FileContent | undefined {
  let file: number;
  try {
    // A pipe without a writer must not hold the start up.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (isCode(error, "ENOENT") || isCode(error, "ENOTDIR")) return undefined;
    throw unreadable(path, error);
  }
  try {
    const { mode, size } = fstatSync(file);
    if (size > MAX_FILE) throw new Error(`larger than ${MAX_FILE} bytes`);
    return { path, mode, text: readFileSync(file, "utf8") };
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    closeSync(file);
  }
}

function unreadable(path: string, error: unknown): Error {
  const directory = isCode(error, "EISDIR");
  const words = directory
    ? "is a directory; name a file in it"
    : `cannot be read (${String(error)}); check its owner and mode`;
  return new Error(`${path} ${words}`, { cause: error });
}
