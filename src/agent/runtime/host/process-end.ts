/** HUP, TERM, KILL: how a tree of processes on this host is ended. */

import { wait } from "../../../lib/wait.ts";
import type { ProcessTree } from "./processes.ts";

/** What is sent, in order, and the milliseconds it has until the next. Together they end within 5 s. */
export const STEPS: readonly { signals: NodeJS.Signals[]; patience: number }[] = [
  { signals: ["SIGHUP", "SIGCONT"], patience: 700 },
  { signals: ["SIGTERM", "SIGCONT"], patience: 1300 },
  { signals: ["SIGKILL"], patience: 500 },
  { signals: ["SIGKILL"], patience: 500 },
  { signals: ["SIGKILL"], patience: 500 },
];
/** Milliseconds between two looks at whether they are gone. */
const POLL = 40;

/** Resolves with whether all are gone. */
export async function endTree(tree: ProcessTree): Promise<boolean> {
  const never = new AbortController().signal;
  for (const { signals, patience } of STEPS) {
    const until = performance.now() + patience;
    await tree.signal(...signals);
    while (performance.now() < until) {
      if ((await tree.count()) === 0) return true;
      await wait(POLL, never);
    }
  }
  return false;
}
