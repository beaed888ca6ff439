/**
 * Preloaded by `bin/test` without options: ends a file of tests that takes too long. The runner's own limit is for single
 * tests, not for what holds the process before or after them.
 */

/** Milliseconds for one file; the longest takes a tenth on a quiet machine. */
const FILE_LIMIT_MS = 15 * 60_000;

function end(): void {
  const held = process.getActiveResourcesInfo().join(", ");
  console.error(`not over after ${FILE_LIMIT_MS / 60_000} minutes; what is open: ${held}`);
  process.exit(1);
}

// The runner, which starts a process for each file, loads this too.
if (process.env["NODE_TEST_CONTEXT"] !== undefined) setTimeout(end, FILE_LIMIT_MS).unref();
