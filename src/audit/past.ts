/** What an earlier process left in its audit log: the end of the chain, and what has no end there. */

import { readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import type { AuditRecord } from "../protocol/audit.ts";
import { auditFiles, linesOf } from "./files.ts";
import { BEGINNING, type Head, unseal } from "./record.ts";
import { readHead } from "./verify.ts";

const NEWLINE = 10;
/** The last words of a program that was told to end. */
const ENDED: ReadonlySet<AuditRecord["event"]> = new Set(["agent-ended", "server-ended"] as const);

export interface Past {
  head: Head;
  /** It ended as it was told, or there was none. */
  clean: boolean;
  /** Bytes of a last line that was never finished: it is cut off. */
  unfinished: number;
  /** Records at the end that were written once and are gone. */
  missing: number;
  /** What was opened and has no end. */
  open: AuditRecord[];
}

/** Cuts off an unfinished last line, and reads every record if the agent did not end as it was told. */
export async function repair(directory: string): Promise<Past> {
  const files = await auditFiles(directory);
  const current = files.at(-1);
  if (!current) return { head: BEGINNING, clean: true, unfinished: 0, missing: 0, open: [] };
  const unfinished = await cutUnfinished(current);
  const last = await lastOf(files);
  const known = await readHead(dirname(current));
  const missing = Math.max(0, (known?.seq ?? 0) - (last?.seq ?? 0));
  // The chain goes on from what is known to have been, so that what is missing stays visible.
  const head = missing > 0 && known ? known : (last ?? known ?? BEGINNING);
  const clean = unfinished === 0 && missing === 0 && last !== undefined && ENDED.has(last.event);
  return {
    head: { seq: head.seq, hash: head.hash },
    clean,
    unfinished,
    missing,
    open: clean ? [] : await openIn(files),
  };
}

async function cutUnfinished(file: string): Promise<number> {
  const bytes = await readFile(file);
  const end = bytes.lastIndexOf(NEWLINE) + 1;
  if (end === bytes.length) return 0;
  // Where even that is not possible nothing is written later either.
  await truncate(file, end).catch(() => undefined);
  return bytes.length - end;
}

/** The newest record that is one. */
async function lastOf(files: readonly string[]): Promise<AuditRecord | undefined> {
  for (const file of files.toReversed()) {
    let last: AuditRecord | undefined;
    for await (const { text } of linesOf([file])) last = unseal(text) ?? last;
    if (last) return last;
  }
  return undefined;
}

async function openIn(files: readonly string[]): Promise<AuditRecord[]> {
  const sessions = new Map<string, AuditRecord>();
  for await (const { text } of linesOf(files)) {
    const record = unseal(text);
    if (!record?.session) continue;
    if (record.event === "open") sessions.set(record.session, record);
    if (record.event === "end") sessions.delete(record.session);
  }
  return [...sessions.values()];
}
