/** A log reader's position: exact to the entry, whatever the engine's clock can tell. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LogPosition, toSince } from "../../../src/agent/session/log-cursor.ts";
import type { LogEntry } from "../../../src/agent/runtime/runtime.ts";

function entry(stream: "stdout" | "stderr", time: string, text = ""): LogEntry {
  return { stream, time, bytes: Buffer.from(text) };
}

test("a time becomes seconds and nine digits, and keeps every one of them", () => {
  assert.equal(toSince("2026-11-21T04:46:37.605402910Z"), "1795236397.605402910");
  assert.equal(toSince("2026-11-21T04:46:37Z"), "1795236397.000000000");
  assert.equal(toSince("2026-11-21T06:46:37.5+02:00"), "1795236397.500000000");
});

test("a reading that breaks off anywhere, any number of times, delivers every entry once", () => {
  const second = fc.integer({ min: 10, max: 14 }).map((s) => `2026-01-01T00:00:${s}Z`);
  const log = fc
    .array(fc.tuple(fc.constantFrom("stdout" as const, "stderr" as const), second), { maxLength: 40 })
    .map((list) => list.sort((a, b) => (a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0)))
    .map((list) => list.map(([stream, time], i) => entry(stream, time, String(i))));
  fc.assert(
    fc.property(log, fc.array(fc.nat(50), { maxLength: 6 }), fc.nat(5), (entries, breaks, resumed) => {
      let position = new LogPosition("c");
      const got: string[] = [];
      for (const [round, length] of [...breaks, 1_000].entries()) {
        // A client that lost its session comes back with the cursor alone.
        if (round === resumed) position = new LogPosition("c", position.cursor);
        const since = position.restart();
        const fromEngine = entries.filter(({ time }) => since === undefined || toSince(time) >= since);
        for (const it of fromEngine.slice(0, length))
          if (position.advance(it)) got.push(Buffer.from(it.bytes).toString());
      }
      assert.deepEqual(
        got,
        entries.map((_, i) => String(i)),
      );
    }),
    { numRuns: 2_000 },
  );
});
