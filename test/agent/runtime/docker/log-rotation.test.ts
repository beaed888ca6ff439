/** A followed log whose files are rotated: what comes twice, and what may have been skipped. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { Rotation } from "../../../../src/agent/runtime/docker/log-rotation.ts";
import type { LogEntry, StreamName } from "../../../../src/agent/runtime/runtime.ts";

/** Long ago: nobody who reads these entries has caught up. */
const LONG_AGO = Date.parse("2026-01-02T03:04:05Z");
/** Bytes of a line in one part. */
const WHOLE = 10;

suite("a rotated log", () => {
  test("has every entry once, however often the engine goes back", () => {
    const line = fc.record({ parts: fc.integer({ min: 1, max: 3 }), stream: fc.constantFrom("stdout", "stderr") });
    const back = fc.record({ at: fc.nat(200), by: fc.integer({ min: 1, max: 100 }) });
    fc.assert(
      fc.property(fc.array(line, { maxLength: 100 }), fc.array(back, { maxLength: 5 }), (lines, backs) => {
        const log = lines.flatMap(({ parts, stream }, i) => entriesOf(i, parts, stream));
        const rotation = new Rotation();
        const seen: LogEntry[] = [];
        for (let at = 0; at < log.length; at += 1) {
          seen.push(...rotation.take(log.slice(at, at + 1), 0));
          for (const { by } of backs.filter((it) => it.at === at)) {
            const again = log.slice(Math.max(0, at + 1 - by), at + 1);
            // Going back to a line that had not ended looks like more of it.
            if (again[0]?.bytes.length === WHOLE) seen.push(...rotation.take(again, 0));
          }
        }
        assert.deepEqual(seen, log);
      }),
    );
  });

  test("loses nothing when the clock is set back", () => {
    const rotation = new Rotation();
    const before = Array.from({ length: 10 }, (_, i) => entry(100_000_001 + i * 1_000, `a ${i}\n`));
    const after = Array.from({ length: 10 }, (_, i) => entry(50_000_001 + i * 1_000, `b ${i}\n`));
    assert.deepEqual([...rotation.take(before, 0), ...rotation.take(after, 0)], [...before, ...after]);
  });

  test("keeps equal lines whose stamps are too coarse to tell them apart", () => {
    const rotation = new Rotation();
    const lines = Array.from({ length: 3 }, () => entry(1_000_000, "same\n"));
    assert.deepEqual(rotation.take(lines, 0), lines);
  });

  test("is suspect where time jumps after its reader was held up while much was waiting, and only there", () => {
    for (const [lines, heldUp, waited, jump, suspect] of [
      [5_000, 200, 1, 30_000, true],
      [5_000, 50, 1, 30_000, false],
      [500, 200, 1, 30_000, false],
      [5_000, 200, 150, 30_000, false],
      [5_000, 200, 1, 20, false],
    ] as const) {
      const rotation = new Rotation();
      const from = Date.now() - 60_000;
      rotation.take(
        Array.from({ length: lines }, () => at(from)),
        1,
      );
      rotation.heldUp(heldUp);
      const next = jump > 1_000 ? from + 60_000 + jump : from + jump;
      const taken = rotation.take([at(from), at(next)], waited);
      assert.deepEqual(
        [rotation.suspect, taken.length],
        [suspect, suspect ? 1 : 2],
        `${lines} ${heldUp} ${waited} ${jump}`,
      );
    }
  });

  test("is not suspect for pauses in what was written before it was followed", () => {
    const rotation = new Rotation();
    rotation.take(
      Array.from({ length: 5_000 }, () => at(LONG_AGO)),
      1,
    );
    rotation.heldUp(10_000);
    assert.equal(rotation.take([at(LONG_AGO + 900)], 1).length, 1);
    assert.equal(rotation.suspect, false);
  });

  test("is not suspect once its reader has caught up", () => {
    const rotation = new Rotation();
    rotation.take(
      Array.from({ length: 5_000 }, () => at(Date.now() - 60_000)),
      1,
    );
    rotation.heldUp(10_000);
    rotation.take([at(Date.now() - 60_000), at(Date.now() - 59_999)], 1);
    assert.equal(rotation.suspect, false);
    rotation.take([at(Date.now() - 59_970)], 1);
    for (let ms = 59_930; ms > 0; ms -= 40) rotation.take([at(Date.now() - ms)], 1);
    rotation.take([at(Date.now() + 500)], 1);
    assert.equal(rotation.suspect, false);
  });
});

/** So many nanoseconds after long ago. */
function entry(nanoseconds: number, text: string, stream: StreamName = "stdout"): LogEntry {
  const second = new Date(LONG_AGO + Math.floor(nanoseconds / 1e9) * 1_000).toISOString().slice(0, 19);
  const time = `${second}.${String(nanoseconds % 1e9).padStart(9, "0")}Z`;
  return { stream, time, bytes: Buffer.from(text) };
}

/** With a stamp that is too coarse to tell two of them apart. */
function at(ms: number): LogEntry {
  return { stream: "stdout", time: new Date(ms).toISOString(), bytes: Buffer.from("line\n") };
}

/** A line in equal parts, the last of which ends it. */
function entriesOf(number: number, parts: number, stream: StreamName): LogEntry[] {
  const text = (last: boolean) => (last ? `${"x".repeat(parts === 1 ? WHOLE - 1 : 1)}\n` : "x");
  return Array.from({ length: parts }, (_, i) => entry(1_001 * (number + 1), text(i === parts - 1), stream));
}
