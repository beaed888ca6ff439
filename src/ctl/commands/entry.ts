/** What a file in this folder contributes to the command line. */

import type { Command } from "commander";

/** A command, or a group of them. */
export type Entry = {
  command: Command;
} & (
  | {
      /** Given the operands and then the options; resolves with the exit code. */
      work: (...given: never[]) => Promise<number>;
    }
  | { entries: Entry[] }
);
