/** A consistent copy of the database, taken from outside while a server uses it. */

import { open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { FairleadError } from "../../protocol/errors.ts";

/** How long a server may hold the file, in milliseconds. */
const BUSY_MS = 10_000;

/** The copy is whole or not there, readable by its owner alone. Throws with words when there is no database, or a file already. */
export async function backup(database: string, target: string): Promise<void> {
  const unfinished = `${target}.unfinished`;
  await refuseExisting(target);
  await rm(unfinished, { force: true });
  // Made first: SQLite fills an empty file, and would make one that others can read.
  await (await open(unfinished, "wx", 0o600)).close();
  try {
    copy(database, unfinished);
    await sync(unfinished);
    await rename(unfinished, target);
    await sync(dirname(target));
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}

function copy(database: string, target: string): void {
  const db = openExisting(database);
  try {
    db.prepare("VACUUM INTO ?").run(target);
  } finally {
    db.close();
  }
  const copied = new DatabaseSync(target, { readOnly: true });
  const verdict = copied.prepare("PRAGMA quick_check").get()?.["quick_check"];
  copied.close();
  if (verdict !== "ok") throw new FairleadError("internal", `The copy is not sound (${String(verdict)}); is the disk?`);
}

function openExisting(path: string): DatabaseSync {
  try {
    return new DatabaseSync(path, { readOnly: true, timeout: BUSY_MS });
  } catch (cause) {
    throw new FairleadError("not-found", `${path} cannot be read: name the server's data_dir (${String(cause)}).`, {
      cause,
    });
  }
}

async function refuseExisting(path: string): Promise<void> {
  const existing = await open(path).catch(() => undefined);
  await existing?.close();
  if (existing) throw new FairleadError("conflict", `${path} exists; name another file.`);
}

async function sync(path: string): Promise<void> {
  const file = await open(path);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
