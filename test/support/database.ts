/** What a server's database has on the disk, whatever the server says. */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** The keys that begin so, in their order. */
export function keysIn({ stateDir }: { stateDir: string }, prefix: string): string[] {
  const db = new DatabaseSync(join(stateDir, "server.db"), { readOnly: true });
  try {
    const rows = db.prepare("SELECT key FROM entries WHERE key GLOB ? ORDER BY key").all(`${prefix}*`);
    return rows.map(({ key }) => String(key));
  } finally {
    db.close();
  }
}
