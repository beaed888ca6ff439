/** A log that is read again from a moment on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { readFrom } from "../../../src/agent/session/log-reopen.ts";
import { toSince } from "../../../src/lib/stamp.ts";
import { ScriptedLog } from "../../support/scripted-log.ts";
import { ScriptedRuntime } from "../../support/scripted-runtime.ts";

const LINES = 40_000;

test("a log is read again from any moment on as the engine would give it, from near its end without reading all of it", async () => {
  const log = new ScriptedLog({ batch: 700 });
  const runtime = new ScriptedRuntime({ logs: (options, signal) => log.logs(options, signal) });
  for (let i = 0; i < LINES; i += 1) log.write(`${i}\n`, i % 3 === 0 ? "stderr" : "stdout");
  for (const [back, readings] of [
    [0, 1],
    [999, 1],
    [1_000, 2],
    [29_999, 2],
    [30_000, 3],
    [LINES, 3],
  ] as const) {
    const { opened } = log;
    const first = LINES - back;
    const stop = new AbortController();
    const from = log.entries[first] ?? log.entries[LINES - 1];
    const expected = Math.min(first, LINES - 1);
    let count = 0;
    for await (const batch of readFrom(runtime, { id: "web", from: toSince(from?.time ?? "") }, stop.signal)) {
      assert.equal(batch[0], log.entries[expected + count]);
      count += batch.length;
      if (expected + count === LINES) break;
    }
    assert.equal(log.opened - opened, readings, `${back} lines back`);
    assert.equal(log.readings, 0);
  }
});
