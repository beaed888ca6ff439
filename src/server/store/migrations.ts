/** The shape of the database, step by step: each step runs once, whole or not at all. */

import type { DatabaseSync } from "node:sqlite";
import { FairleadError } from "../../protocol/errors.ts";

/** Only ever added to: a database remembers how many of them it has seen. */
const STEPS = [
  `CREATE TABLE entries (key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) WITHOUT ROWID, STRICT;
   CREATE TABLE journal (name TEXT NOT NULL, seq INTEGER NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, seq)) WITHOUT ROWID, STRICT;
   CREATE TABLE counter (revision INTEGER NOT NULL) STRICT;
   INSERT INTO counter VALUES (0);`,
];

/** Throws when the database was made by a newer version. */
export function migrate(db: DatabaseSync, steps: readonly string[] = STEPS): void {
  db.exec("BEGIN IMMEDIATE");
  try {
    const done = Number(db.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
    if (done > steps.length)
      throw new FairleadError(
        "unsupported",
        `The database has the shape of a newer Fairlead (${done}, this one knows ${steps.length}); run that version, or go back to a backup.`,
      );
    for (const step of steps.slice(done)) db.exec(step);
    db.exec(`PRAGMA user_version = ${steps.length}`);
    db.exec("COMMIT");
  } catch (error) {
    db.exec("ROLLBACK");
    throw error;
  }
}
