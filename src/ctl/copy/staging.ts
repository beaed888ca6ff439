/** A new directory beside the place where a copy will be: what is not complete is never seen in that place. */

import { accessSync, constants, lstatSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { Failure } from "../failure.ts";
import { wordsOf } from "./reading.ts";

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
   * Looks for everything that cannot be replaced before it changes anything. Throws {@link Failure}, which tells where it
   * has changed something all the same.
   */
  commit(place: string): void {
    const moves = movesTo(this.root, place);
    for (const [done, move] of moves.entries()) put(move, `${done} of ${moves.length}`);
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

function put({ from, to }: Move, done: string): void {
  try {
    renameSync(from, to);
  } catch (cause) {
    const why = `${to} cannot be put in its place: ${wordsOf(cause)}.`;
    throw new Failure(`${why} Of the copy ${done} things are in theirs; run it again when that is mended.`, {
      cause,
      exit: 1,
    });
  }
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
  const moves = readdirSync(from).flatMap((name) => movesTo(join(from, name), join(to, name)));
  if (moves.some((move) => dirname(move.to) === to)) checkInto(to, own.dev === there.dev);
  return moves;
}

/** Nothing is renamed into a directory that may not be written, nor from one file system to another. */
function checkInto(directory: string, same: boolean): void {
  const nothing = "Nothing was copied";
  if (!same)
    throw new Failure(`${directory} is another file system than what it is in. ${nothing}; copy to it by itself.`, {
      exit: 1,
    });
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Failure(`Nothing can be written in ${directory}: ${wordsOf(cause)}. ${nothing}.`, { cause, exit: 1 });
  }
}
