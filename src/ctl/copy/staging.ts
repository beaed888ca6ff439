/** A new directory beside the place where a copy will be: what is not complete is never seen in that place. */

import { lstatSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { Failure } from "../failure.ts";

/** Six characters that are free are added. */
const PREFIX = ".fairlead-cp-";

export class Staging {
  /** Does not exist yet: whatever the copy becomes is made here. */
  readonly root: string;
  readonly #directory: string;

  /** In a directory that exists, so that everything can be renamed from there. Throws {@link Failure}. */
  constructor(directory: string) {
    try {
      this.#directory = mkdtempSync(join(directory, PREFIX));
    } catch (cause) {
      throw new Failure(`Nothing can be written in ${directory}: ${(cause as Error).message}.`, { cause, exit: 1 });
    }
    this.root = join(this.#directory, "copy");
  }

  /**
   * Puts the copy at its place: by one rename where nothing is there, else file by file into the directories that are.
   * Looks for everything that cannot be replaced before it changes anything. Throws {@link Failure}.
   */
  commit(place: string): void {
    const moves = movesTo(this.root, place);
    for (const { from, to } of moves) renameSync(from, to);
  }

  /** Idempotent. */
  discard(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

interface Move {
  from: string;
  to: string;
}

/** A directory that is a link here is not a directory: nothing is written through it. */
function movesTo(from: string, to: string): Move[] {
  const own = lstatSync(from);
  const there = lstatSync(to, { throwIfNoEntry: false });
  if (!there || (!own.isDirectory() && !there.isDirectory())) return [{ from, to }];
  if (!own.isDirectory() || !there.isDirectory())
    throw new Failure(
      `${to} is ${there.isDirectory() ? "a directory" : "no directory"} and "${basename(to)}" is ${own.isDirectory() ? "one" : "none"}. Nothing was copied.`,
      { exit: 1 },
    );
  return readdirSync(from).flatMap((name) => movesTo(join(from, name), join(to, name)));
}
