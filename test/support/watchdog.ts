/**
 * Preloaded by `bin/test` without options: ends a file of tests, and a run, that takes too long. The runner's own limit is
 * for single tests, not for what holds a process before or after them.
 */

import { existsSync, readFileSync } from "node:fs";

/** Milliseconds for one file; the longest takes a seventh on a quiet machine. */
const FILE_LIMIT_MS = Number(process.env["FAIRLEAD_TEST_FILE_LIMIT"] ?? 10 * 60_000);
/**
 * Milliseconds that a file has to end by itself after that; one whose event loop does not turn cannot. The runner counts
 * from before the file's process has started, which takes a while on a busy machine.
 */
const GRACE_MS = Math.max(5_000, FILE_LIMIT_MS / 10);
/** Milliseconds for the run; a whole one takes half on a quiet machine. */
const RUN_LIMIT_MS = Number(process.env["FAIRLEAD_TEST_RUN_LIMIT"] ?? 75 * 60_000);

/** Where Linux tells the processes that this one has started, unless it was built without. */
const CHILDREN = `/proc/self/task/${process.pid}/children`;

/** In the process of a file. */
function endMyself(): void {
  const held = process.getActiveResourcesInfo().join(", ");
  console.error(`not over after ${FILE_LIMIT_MS / 60_000} minutes; what is open: ${held}`);
  process.exit(1);
}

/** In the runner, which starts a process for each file. */
function watchFiles(): void {
  const since = new Map<string, number>();
  setInterval(() => {
    const files = children();
    for (const pid of since.keys()) if (!files.includes(pid)) since.delete(pid);
    for (const pid of files) {
      const first = since.get(pid) ?? Date.now();
      since.set(pid, first);
      if (Date.now() - first > FILE_LIMIT_MS + GRACE_MS) end(pid);
    }
  }, GRACE_MS / 4).unref();
}

function children(): string[] {
  return readFileSync(CHILDREN, "utf8").split(" ").filter(Boolean);
}

function end(pid: string): void {
  console.error(
    `process ${pid} did not end after ${FILE_LIMIT_MS / 60_000} minutes, and its event loop does not turn: killed`,
  );
  process.kill(Number(pid), "SIGKILL");
}

if (process.env["NODE_TEST_CONTEXT"] !== undefined) {
  setTimeout(endMyself, FILE_LIMIT_MS).unref();
} else {
  if (existsSync(CHILDREN)) watchFiles();
  // The runner answers this with what it has so far.
  setTimeout(() => process.kill(process.pid, "SIGINT"), RUN_LIMIT_MS).unref();
}
