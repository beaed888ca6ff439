/** The certificate that the operator gave: two files, which somebody else may replace at any time. */

import { readFile, realpath } from "node:fs/promises";
import { readSecretFile } from "../../boot/private-file.ts";
import type { Source } from "./pair.ts";

/** Reading two small files costs less than trusting every file system to tell of changes, through links and mounts too. */
const EVERY_MS = 5_000;

export function givenFiles(files: { cert: string; key: string }, everyMs: number = EVERY_MS): Source {
  return {
    name: `tls_cert ${files.cert} with tls_key ${files.key}`,
    everyMs,
    read: async () => ({ cert: await readCertificate(files.cert), key: await readKey(files.key) }),
  };
}

async function readCertificate(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new Error(`${path} cannot be read (${String(cause)})`, { cause });
  }
}

/** Behind a link, as certificates often stand, what counts is the file that it leads to. */
async function readKey(path: string): Promise<string> {
  return readSecretFile(await realpath(path).catch(() => path));
}
