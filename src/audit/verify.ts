/** Reads an audit log from end to end and finds what is not as it was written. */

import { open, readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { AuditFault, AuditRecord, AuditVerdict } from "../protocol/audit.ts";
import { HEAD_FILE, linesOf } from "./files.ts";
import { BEGINNING, type Head, unseal } from "./record.ts";

/** Faults that are told. */
const MAX_FAULTS = 100;

/**
 * Of these files, in any order; rejects when one cannot be read. With `head`, or the file of that name beside them, the
 * end of the chain must be there too. Records at the beginning may be missing where a later one says so.
 */
export async function verify(files: readonly string[], head?: Head): Promise<AuditVerdict> {
  const known = head ?? (await readHead(dirname(files[0] ?? ".")));
  const chain = new Chain();
  const sorted = await inOrder(files);
  for await (const { file, number, text } of linesOf(sorted))
    chain.add(unseal(text), { file: basename(file), line: number });
  return chain.verdict(known, basename(sorted.at(-1) ?? ""));
}

/** Undefined where there is none that can be read. */
export async function readHead(directory: string): Promise<Head | undefined> {
  try {
    const { seq, hash } = JSON.parse(await readFile(join(directory, HEAD_FILE), "utf8")) as Partial<Head>;
    return typeof seq === "number" && typeof hash === "string" ? { seq, hash } : undefined;
  } catch {
    return undefined;
  }
}

type Place = Omit<AuditFault, "words">;

class Chain {
  readonly #faults: AuditFault[] = [];
  #first: AuditRecord | undefined;
  #last: Head | undefined;
  #records = 0;
  /** Lines that are no records, since the last one that is. */
  #broken = 0;
  /** The last of the records that the log itself has removed, each time. */
  readonly #removed: Head[] = [];
  #start: Place | undefined;
  #place: Place = { file: "", line: 0 };

  add(record: AuditRecord | undefined, place: Place): void {
    this.#place = place;
    this.#start ??= place;
    if (!record) {
      this.#broken += 1;
      return this.#fault("the line was changed or cut off: it does not have its hash", place);
    }
    const { seq, hash } = record;
    this.#first ??= record;
    this.#records += 1;
    if (record.event === "removed" && record.through !== undefined)
      this.#removed.push({ seq: record.through, hash: record.throughHash ?? "" });
    if (this.#last) this.#compare(record, this.#last, place);
    this.#broken = 0;
    this.#last = { seq, hash };
  }

  verdict(head: Head | undefined, file: string): AuditVerdict {
    const { seq, hash } = this.#last ?? BEGINNING;
    this.#checkBeginning();
    const place = { file, line: this.#place.line + 1 };
    if (head && head.seq > seq) this.#fault(`${range(seq + 1, head.seq)} missing at the end`, place);
    return { records: this.#records, seq, hash, faults: this.#faults };
  }

  #compare({ seq, prev }: AuditRecord, last: Head, place: Place): void {
    if (seq <= last.seq) this.#fault(`record ${seq} stands after ${last.seq}: out of its order, or twice`, place);
    else if (seq > last.seq + 1 + this.#broken) this.#fault(`${range(last.seq + 1, seq - 1)} missing before it`, place);
    else if (seq === last.seq + 1 && prev !== last.hash)
      this.#fault(`record ${seq} does not follow the ${last.seq} that stands before it`, place);
  }

  #checkBeginning(): void {
    if (!this.#first || this.#first.seq === 1) return;
    const before = this.#first.seq - 1;
    const told = this.#removed.some(({ seq, hash }) => seq === before && hash === this.#first?.prev);
    if (told) return;
    const words = `${range(1, before)} missing, and none tells that they were removed`;
    this.#fault(words, this.#start ?? this.#place);
  }

  #fault(words: string, { file, line }: Place): void {
    if (this.#faults.length < MAX_FAULTS) this.#faults.push({ file, line, words });
  }
}

function range(from: number, to: number): string {
  return from === to ? `record ${from} is` : `the records ${from} to ${to} are`;
}

/** By the number of the first record in each. */
async function inOrder(files: readonly string[]): Promise<string[]> {
  const begun = await Promise.all(
    files.map(async (file) => {
      await (await open(file)).close();
      for await (const { text } of linesOf([file])) {
        const record = unseal(text);
        if (record) return { file, seq: record.seq };
      }
      return { file, seq: Number.POSITIVE_INFINITY };
    }),
  );
  return begun.sort((one, other) => one.seq - other.seq).map(({ file }) => file);
}
