/**
 * Unpacks an archive that a container made: nothing in it can reach what is not in the new directory that it is unpacked
 * in (reliability.md CP-1, CP-2). What may be hostile is refused, what cannot be had here is left out and told.
 */

import { type Extract, extract } from "tar-stream";
import { Failure } from "../failure.ts";
import { roomIn } from "../../lib/room.ts";
import { ENDED_EARLY } from "./archive-end.ts";
import { Lent } from "./lent.ts";
import { Tree, type TreeOptions, type Unpacked } from "./tree.ts";

/** The library's words for an archive that is not whole. */
const CUT_OFF = "Unexpected end of data";

export interface UnpackOptions extends TreeOptions {
  /** Hears of chunks that nobody looks at any more; not of every one. */
  recycle?: (bytes: Uint8Array) => void;
}

/** Rejects with {@link Failure}, or with what the archive's source throws. */
export async function unpack(source: AsyncIterable<Uint8Array>, options: UnpackOptions): Promise<Unpacked> {
  const archive = extract();
  const lent = new Lent((bytes) => options.recycle?.(bytes));
  const tree = new Tree(options, (piece) => lent.written(piece));
  let broken: unknown;
  const fed = feed({ source, archive, lent }).catch((error: Error) => {
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

interface Feed {
  source: AsyncIterable<Uint8Array>;
  archive: Extract;
  lent: Lent;
}

/** Leaves the source when nobody takes any more. */
async function feed({ source, archive, lent }: Feed): Promise<void> {
  for await (const bytes of source) {
    if (archive.destroyed) return;
    lent.lend(bytes);
    if (!archive.write(bytes)) await roomIn(archive);
  }
  archive.end(null);
}

/** Errors of the library and of the file system in words. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== "Error") return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  if (message === CUT_OFF) return new Failure(`${ENDED_EARLY} Nothing was copied. Run it again.`, { exit: 1 });
  const words = code === "ENOSPC" || code === "EDQUOT" ? "there is no room left on this machine" : message;
  return new Failure(`The copy was given up: ${words}. Nothing was copied.`, { cause: error, exit: 1 });
}
