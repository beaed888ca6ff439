/**
 * Unpacks an archive that a container made: nothing in it can reach what is not in the new directory that it is unpacked
 * in (reliability.md CP-1, CP-2). What may be hostile is refused, what cannot be had here is left out and told.
 */

import { type Extract, extract } from "tar-stream";
import { Failure } from "../failure.ts";
import { roomIn } from "../../lib/room.ts";
import { Tree, type TreeOptions, type Unpacked } from "./tree.ts";

/** Rejects with {@link Failure}, or with what the archive's source throws. */
export async function unpack(source: AsyncIterable<Uint8Array>, options: TreeOptions): Promise<Unpacked> {
  const archive = extract();
  const tree = new Tree(options);
  let broken: unknown;
  const fed = feed(source, archive).catch((error: Error) => {
    broken = error;
    archive.destroy(error);
  });
  try {
    for await (const entry of archive) await tree.add(entry);
    await fed;
    if (broken !== undefined) throw broken;
    return tree.finish();
  } catch (error) {
    archive.destroy();
    throw explained(broken ?? error);
  }
}

/** Leaves the source when nobody takes any more. */
async function feed(source: AsyncIterable<Uint8Array>, archive: Extract): Promise<void> {
  for await (const bytes of source) {
    if (archive.destroyed) return;
    if (!archive.write(bytes)) await roomIn(archive);
  }
  archive.end(null);
}

/** Errors of the library and of the file system in words. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "Error") return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  const words = code === "ENOSPC" || code === "EDQUOT" ? "there is no room left on this machine" : message;
  return new Failure(`The copy was given up: ${words}. Nothing was copied.`, { cause: error, exit: 1 });
}
