/** Standard error as a place that may be slow, stuck or gone without holding the program up. */

import { fstatSync, write } from "node:fs";
import { isatty } from "node:tty";
import { isCode } from "./private-file.ts";

const STDERR = 2;
/** Pause before writing again to a terminal that somebody else set to non-blocking, in milliseconds. */
const BUSY_MS = 20;

export interface Stderr {
  /** A person is likely to read along. */
  terminal: boolean;
  /** Resolves when the text was taken. Rejects when it could not be written; the next text may succeed. */
  write(text: string): Promise<void>;
  /** A write that is stuck sits in a thread, and the process cannot exit before it returns. */
  holdsExit: boolean;
}

export function openStderr(): Stderr {
  const kind = fstatSync(STDERR);
  if (kind.isFIFO() || kind.isSocket()) return { terminal: false, write: writeToPipe, holdsExit: false };
  // A terminal under Ctrl-S and a slow disk would block the main thread in process.stderr; in the thread pool they do not.
  return { terminal: isatty(STDERR), write: writeToFile, holdsExit: true };
}

/** Node writes to a pipe without blocking. */
function writeToPipe(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stderr.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

async function writeToFile(text: string): Promise<void> {
  let rest = Buffer.from(text);
  while (rest.length > 0) {
    try {
      rest = rest.subarray(await writeOnce(rest));
    } catch (error) {
      if (!isCode(error, "EAGAIN")) throw error;
      await new Promise((resolve) => setTimeout(resolve, BUSY_MS));
    }
  }
}

function writeOnce(bytes: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    write(STDERR, bytes, (error, written) => (error ? reject(error) : resolve(written)));
  });
}
