/** The bytes of a file out of an archive, onto the disk. */

import { writeSync, writev } from "node:fs";
import { promisify } from "node:util";
import type { ExtractEvents } from "tar-stream";
import { Failure } from "../failure.ts";

/** A file up to this size is written by a call that is waited for: quicker than one that is not. */
const SMALL = 64 * 1024;
/** The pieces of larger ones are collected up to so many bytes. */
const GATHER = 1024 * 1024;

const writeAll = promisify(writev);

/** A header and the bytes of what it describes. */
export type Entry = ExtractEvents["entry"][1];

/** Resolves when all of it is written. */
export function writeFile(entry: Entry, descriptor: number): Promise<void> {
  return entry.header.size > SMALL ? writePieces(entry, descriptor) : writeSmall(entry, descriptor);
}

async function writeSmall(entry: Entry, descriptor: number): Promise<void> {
  for await (const bytes of entry as AsyncIterable<Uint8Array>)
    for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
}

async function writePieces(entry: Entry, descriptor: number): Promise<void> {
  let gathered: Uint8Array[] = [];
  let size = 0;
  const write = async () => {
    const pieces = gathered;
    const wanted = size;
    gathered = [];
    size = 0;
    const { bytesWritten } = await writeAll(descriptor, pieces);
    if (bytesWritten !== wanted) throw new Failure("There is no room left on this machine.", { exit: 1 });
  };
  for await (const bytes of entry as AsyncIterable<Uint8Array>) {
    gathered.push(bytes);
    size += bytes.length;
    if (size >= GATHER) await write();
  }
  if (size > 0) await write();
}
