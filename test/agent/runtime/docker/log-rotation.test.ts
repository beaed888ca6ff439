/** A followed log whose files are rotated, and what the engine is asked where entries may have been skipped. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Rotation } from "../../../../src/agent/runtime/docker/log-rotation.ts";
import type { LogEntry } from "../../../../src/agent/runtime/runtime.ts";
import { toSince } from "../../../../src/lib/stamp.ts";

/** Later than the beginning of every follow in this file. */
const SOON = Date.now() + 60_000;

suite("a rotated log", () => {
  test("is asked about where time jumps, and goes on when nothing is missing there", async () => {
    const log = [entry(0), entry(10), entry(500), entry(510), entry(1_000), entry(1_500)];
    const { rotation, asked } = follow(log);
    assert.deepEqual(await read(rotation, log.slice(0, 4), log.slice(4)), log);
    assert.deepEqual(
      asked,
      [log[1], log[3], log[4]].map((it) => toSince(it?.time ?? "")),
    );
  });

  test("breaks off before the first entry that has lost its predecessor", async () => {
    const log = [entry(0), entry(10), entry(20), entry(500), entry(510)];
    const { rotation } = follow(log);
    const pieces = rotation.whole([entry(0), entry(10), entry(500), entry(510)]);
    assert.deepEqual((await pieces.next()).value, log.slice(0, 2));
    await assert.rejects(pieces.next(), { name: "LogInterrupted" });
  });

  test("breaks off where the entry before a jump is not in the log any more", async () => {
    const { rotation } = follow([entry(500), entry(510)]);
    await assert.rejects(read(rotation, [entry(0)], [entry(500)]), { name: "LogInterrupted" });
  });

  test("breaks off where the engine goes back", async () => {
    const { rotation, asked } = follow([entry(0), entry(500)]);
    await assert.rejects(read(rotation, [entry(500)], [entry(100)]), { name: "LogInterrupted" });
    assert.deepEqual(asked, []);
  });

  test("is looked at further back where much was written meanwhile", async () => {
    const log = [entry(0), ...Array.from({ length: 2_000 }, (_, i) => entry(500 + i / 100))];
    const { rotation, asked } = follow(log);
    assert.deepEqual(await read(rotation, log), log);
    assert.equal(asked.length, 2);
  });

  test("is not asked about what was written before it was followed", async () => {
    const log = [entry(-3_600_000), entry(-3_000_000), entry(-1_000_000)];
    const { rotation, asked } = follow(log);
    assert.deepEqual(await read(rotation, log), log);
    assert.deepEqual(asked, []);
  });

  test("is asked no more when asking takes long", async () => {
    const log = Array.from({ length: 100 }, (_, i) => entry(i * 100));
    const { rotation, asked } = follow(log, 400);
    assert.deepEqual(await read(rotation, log), log);
    assert.ok(asked.length > 5 && asked.length < 40, `${asked.length} times`);
  });
});

/** So many milliseconds from soon. */
function entry(ms: number): LogEntry {
  const micros = String(Math.round((ms - Math.floor(ms)) * 1_000)).padStart(3, "0");
  const time = `${new Date(SOON + Math.floor(ms)).toISOString().slice(0, -1)}${micros}001Z`;
  return { stream: "stdout", time, bytes: Buffer.from("x\n") };
}

/** With an engine that has these entries, and takes so many milliseconds to tell. */
function follow(log: LogEntry[], ms = 0) {
  const asked: string[] = [];
  const rotation = new Rotation(async function* (since, tail) {
    asked.push(since);
    const until = performance.now() + ms;
    while (performance.now() < until) await new Promise(setImmediate);
    yield log.slice(-tail).filter(({ time }) => toSince(time) >= since);
  });
  return { rotation, asked };
}

async function read(rotation: Rotation, ...batches: LogEntry[][]): Promise<LogEntry[]> {
  const entries: LogEntry[] = [];
  for (const batch of batches) for await (const piece of rotation.whole(batch)) entries.push(...piece);
  return entries;
}
