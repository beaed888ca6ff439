/** The records of an audit log, as they lie on the disk. */

import { join } from "node:path";
import { auditFiles, linesOf } from "../../src/audit/files.ts";
import { unseal } from "../../src/audit/record.ts";
import type { AuditRecord } from "../../src/protocol/audit.ts";

export async function recordsIn(directory: string): Promise<AuditRecord[]> {
  const found: AuditRecord[] = [];
  for await (const { text } of linesOf(await auditFiles(directory))) {
    const record = unseal(text);
    if (record) found.push(record);
  }
  return found;
}

export function auditOf({ stateDir }: { stateDir: string }): Promise<AuditRecord[]> {
  return recordsIn(join(stateDir, "log"));
}
