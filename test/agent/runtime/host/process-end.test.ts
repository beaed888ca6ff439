/** How long it may take to end a tree of processes; that it does end is seen where there are some. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { STEPS } from "../../../../src/agent/runtime/host/process-end.ts";

test("a tree that ignores every polite signal is killed soon enough to be gone within 5 s, the last resort included", () => {
  const total = STEPS.reduce((sum, { patience }) => sum + patience, 0);
  assert.ok(total < 5_000, `${total} ms`);
  const polite = STEPS.findIndex(({ signals }) => signals.includes("SIGKILL"));
  assert.deepEqual(
    STEPS.slice(0, polite).map(({ signals }) => signals[0]),
    ["SIGHUP", "SIGTERM"],
  );
});
