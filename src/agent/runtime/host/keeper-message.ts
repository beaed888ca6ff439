/** What the agent and the keeper of one program say to each other. */

import type { Size } from "../runtime.ts";

export interface Start {
  /** The program and its arguments. */
  argv: [string, ...string[]];
  /** All of it. */
  env: Record<string, string>;
  cwd: string;
  /** Absent: it gets the keeper's own standard streams. */
  terminal?: { term: string; size: Size };
}

/** To the keeper. The first one starts the program. */
export type Order = { start: Start } | { resize: Size };

/** From the keeper: the program's process number, or why there is none; then how it ended, after all it printed. */
export type Word = { started: number } | { refused: string } | { ended: number };
