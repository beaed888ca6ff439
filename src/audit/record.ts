/** One record of the audit log as a line of text: numbered, and chained to the one before by its hash. */

import { createHash } from "node:crypto";
import { type AuditLine, AuditRecord } from "../protocol/audit.ts";

/** The end of the chain. */
export interface Head {
  seq: number;
  hash: string;
}

/** Before the first record. */
export const BEGINNING: Head = { seq: 0, hash: "0".repeat(64) };

const HASH = /,"hash":"([0-9a-f]{64})"\}$/;

/** The record that follows `head`, with its line; `time` is in milliseconds since 1970. */
export function seal(line: AuditLine, time: number, head: Head): { text: string; head: Head } {
  const record = { seq: head.seq + 1, time: new Date(time).toISOString(), ...line, prev: head.hash };
  const open = escaped(JSON.stringify(record)).slice(0, -1);
  const hash = digest(open);
  return { text: `${open},"hash":"${hash}"}\n`, head: { seq: record.seq, hash } };
}

/** A line without its end; undefined when it is no record, or not as it was written. */
export function unseal(text: string): AuditRecord | undefined {
  const [ending, hash] = HASH.exec(text) ?? [];
  if (ending === undefined || digest(text.slice(0, -ending.length)) !== hash) return undefined;
  try {
    return AuditRecord.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function digest(open: string): string {
  return createHash("sha256").update(open).digest("hex");
}

/** What a stranger chose may neither break the line, steer a terminal, hide, nor turn the text around. */
function escaped(json: string): string {
  return json.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    Array.from({ length: character.length }, (_, i) => character.charCodeAt(i))
      .map((unit) => `\\u${unit.toString(16).padStart(4, "0")}`)
      .join(""),
  );
}
