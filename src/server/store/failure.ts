/** What SQLite says when it cannot do its work, in words for people. */

import { FairleadError } from "../../protocol/errors.ts";

/** By the primary result code (sqlite.org/rescode.html). */
const WORDS: Record<number, (path: string, message: string) => string> = {
  5: (path) => `Another program holds the server's database, ${path}: end that, then try again.`,
  8: (path) => `The server's database, ${path}, is read-only, or its disk is: make that writable, then try again.`,
  10: troubled,
  11: damaged,
  13: (path) => `The disk with the server's database, ${path}, is full: make room there, then try again.`,
  14: troubled,
  26: damaged,
};
/** The lower byte: the others tell SQLite's authors more. */
const PRIMARY = 0xff;

/** An error of SQLite as `storage-unavailable`; any other one as it is. */
export function storageFailure(path: string, error: unknown): unknown {
  if (!(error instanceof Error) || !("errcode" in error)) return error;
  const words = WORDS[Number(error.errcode) & PRIMARY];
  const message = words?.(path, error.message) ?? `The server's database, ${path}, cannot be used: ${error.message}.`;
  return new FairleadError("storage-unavailable", message, { cause: error });
}

/** For what can be done again later. */
export function rethrowUnlessUnavailable(error: unknown): void {
  if (!(error instanceof FairleadError) || error.code !== "storage-unavailable") throw error;
}

/** Of a full disk, too, SQLite does not always say more. */
function troubled(path: string, message: string): string {
  return `The disk with the server's database, ${path}, fails (${message}): make room there if it is full, else see the system's log.`;
}

function damaged(path: string, message: string): string {
  return `The server's database, ${path}, is damaged (${message}): end the server, and go back to a backup.`;
}
