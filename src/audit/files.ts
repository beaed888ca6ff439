/** The files of an audit log: which there are, and their lines in order. */

import { createReadStream } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** First part of the files' names. */
export const NAME = "audit";
/** Where the end of the chain is written down a second time. */
export const HEAD_FILE = "audit.head";
const CURRENT = `${NAME}.log`;
const ARCHIVE = new RegExp(`^${NAME}\\.(\\d{1,15})\\.log$`);

export interface Line {
  file: string;
  /** From 1. */
  number: number;
  text: string;
}

/** Oldest first, the current one last. A directory that is not there has none. */
export async function auditFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory).catch(() => []);
  const archives = entries
    .flatMap((entry) => ARCHIVE.exec(entry)?.[1] ?? [])
    .sort((one, other) => Number(one) - Number(other))
    .map((number) => `${NAME}.${number}.log`);
  return [...archives, ...entries.filter((entry) => entry === CURRENT)].map((entry) => join(directory, entry));
}

/** Every line, of one file after another; a file that was removed meanwhile has none. */
export async function* linesOf(files: readonly string[]): AsyncGenerator<Line, void, void> {
  for (const file of files) {
    let number = 0;
    try {
      for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY }))
        yield { file, number: ++number, text };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}
