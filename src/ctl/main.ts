/** The entrance of `ctl`: the only place that touches the process. */

import { config } from "zod/mini";
import { FairleadError } from "../protocol/errors.ts";
import { verdictOf } from "./failure.ts";
import { Invocation } from "./invocation.ts";
import { runProgram } from "./program.ts";

// A schema is used once or twice in a run: compiling it first would take longer.
config({ jitless: true });

const invocation = new Invocation(process, Date.now() - Math.round(performance.now()));

function giveBack(): void {
  invocation.screen.leave();
  invocation.terminal.restore("abnormally");
}

/** Ends the process with the terminal as it was found and everything said. */
async function finish(error: unknown): Promise<never> {
  const { exit, words } = verdictOf(error);
  giveBack();
  invocation.messages.raw = false;
  if (words) invocation.messages.say(words);
  if (error instanceof FairleadError && error.request !== undefined) {
    const { request } = error;
    invocation.messages.explain(() => `request ${request}: the log and the audit of who answered tell more of it`);
  }
  invocation.messages.explain(() => (error instanceof Error && error.stack) || String(error));
  await said();
  process.exit(exit);
}

/** Where standard error is gone nobody is left to care. */
async function said(): Promise<void> {
  await invocation.stderr.flush().catch(() => {});
}

process.on("uncaughtException", (error) => void finish(error));
// The last resort; what ends in an orderly way has done it already.
process.on("exit", giveBack);

async function main(): Promise<void> {
  try {
    const exit = await runProgram(invocation, process.argv.slice(2));
    await invocation.stdout.flush();
    await said();
    // Not left to happen by itself: a goodbye over the network may take longer than anybody waits for a prompt.
    process.exit(exit);
  } catch (error) {
    await finish(error);
  }
}

void main();
