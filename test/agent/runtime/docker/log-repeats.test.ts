/** Entries that the engine delivers twice. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Repeats } from "../../../../src/agent/runtime/docker/log-repeats.ts";
import type { LogEntry, StreamName } from "../../../../src/agent/runtime/runtime.ts";

const LONG_AGO = Date.parse("2026-01-02T03:04:05Z");
/** Bytes of a line in one part. */
const WHOLE = 10;

suite("an engine that goes back in a log", () => {
  test("is understood: every entry comes once", () => {
    const line = fc.record({ parts: fc.integer({ min: 1, max: 3 }), stream: fc.constantFrom("stdout", "stderr") });
    const back = fc.record({ at: fc.nat(200), by: fc.integer({ min: 1, max: 100 }) });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 100 }), fc.array(back, { maxLength: 5 }), (lines, backs) => {
        const log = lines.flatMap(({ parts, stream }, i) => entriesOf(i, parts, stream));
        const repeats = new Repeats();
        const seen: LogEntry[] = [];
        for (let at = 0; at < log.length; at += 1) {
          seen.push(...take(repeats, log.slice(at, at + 1)));
          for (const { by } of backs.filter((it) => it.at === at)) {
            const again = log.slice(Math.max(0, at + 1 - by), at + 1);
            // Going back to a line that had not ended looks like more of it.
            if (again[0]?.bytes.length === WHOLE) seen.push(...take(repeats, again));
          }
        }
        assert.deepEqual(seen, log);
      }),
    );
  });

  test("is told from a clock that was set back", () => {
    const repeats = new Repeats();
    const before = Array.from({ length: 10 }, (_, i) => entry(100_000_001 + i * 1_000, `a ${i}\n`));
    const after = Array.from({ length: 10 }, (_, i) => entry(50_000_001 + i * 1_000, `b ${i}\n`));
    assert.deepEqual(take(repeats, [...before, ...after]), [...before, ...after]);
  });

  test("is not suspected where stamps are too coarse to tell equal lines apart", () => {
    const repeats = new Repeats();
    const lines = Array.from({ length: 3 }, () => entry(1_000_000, "same\n"));
    assert.deepEqual(take(repeats, lines), lines);
  });
});

/** So many nanoseconds after long ago. */
function entry(nanoseconds: number, text: string, stream: StreamName = "stdout"): LogEntry {
  const second = new Date(LONG_AGO + Math.floor(nanoseconds / 1e9) * 1_000).toISOString().slice(0, 19);
  const time = `${second}.${String(nanoseconds % 1e9).padStart(9, "0")}Z`;
  return { stream, time, bytes: Buffer.from(text) };
}

/** A line in equal parts, the last of which ends it. */
function entriesOf(number: number, parts: number, stream: StreamName): LogEntry[] {
  const text = (last: boolean) => (last ? `${"x".repeat(parts === 1 ? WHOLE - 1 : 1)}\n` : "x");
  return Array.from({ length: parts }, (_, i) => entry(1_001 * (number + 1), text(i === parts - 1), stream));
}

function take(repeats: Repeats, entries: LogEntry[]): LogEntry[] {
  return entries.filter((entry) => repeats.isNew(entry));
}
