/** How a run of `ctl` ends when it does not end well: words for people and an exit code for scripts. */

import { constants } from "node:os";
import { CommanderError } from "commander";
import { StateError } from "../boot/private-file.ts";
import { ERRORS, FairleadError } from "../protocol/errors.ts";

/** Fairlead's own failure, as `docker` has it; 126 and 127 belong to the command in the container. */
export const EXIT_FAILURE = 125;
const EXIT_USAGE = 2;

/** What a shell reports of a program that a signal ended: 128 and its number. */
export function exitOfSignal(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

/** Something on this side went wrong: the message says what happened and what to do. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exit: number;
  constructor(message: string, { exit = EXIT_FAILURE, ...options }: ErrorOptions & { exit?: number } = {}) {
    super(message, options);
    this.exit = exit;
  }
}

/** The command line cannot be carried out as it stands. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

/** Whoever read our output has gone away, as `head` does: nothing to say about it. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

export interface Verdict {
  exit: number;
  /** Absent when there is nothing (more) to say. */
  words?: string;
}

export function verdictOf(error: unknown): Verdict {
  if (error instanceof OutputClosed) return { exit: exitOfSignal("SIGPIPE") };
  if (error instanceof CommanderError) return { exit: EXIT_USAGE };
  if (error instanceof UsageError) return { exit: EXIT_USAGE, words: error.message };
  if (error instanceof FairleadError) return { exit: ERRORS[error.code].exit, words: error.message };
  if (error instanceof Failure) return { exit: error.exit, words: error.message };
  if (error instanceof StateError) return { exit: EXIT_FAILURE, words: error.message };
  const words = error instanceof Error ? error.message : String(error);
  return {
    exit: EXIT_FAILURE,
    words: `${words}. This is a fault in ctl: run it again with -v and report what it says.`,
  };
}
