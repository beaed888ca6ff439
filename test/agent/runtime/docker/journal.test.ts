/** The journal of running execs. */

import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type ExecRecord, Journal } from "../../../../src/agent/runtime/docker/journal.ts";

const execId = "e".repeat(64);
const containerId = "c".repeat(64);
const NOBODY: ReadonlySet<string> = new Set();
const host = { pid: 4711, startTime: 99, bootId: "b" };

async function withDirectory(work: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "fl-journal-"));
  try {
    await work(join(directory, "execs"));
  } finally {
    await rm(directory, { recursive: true });
  }
}

test("an entry is there for the next agent until it is removed, for its owner only", () =>
  withDirectory(async (directory) => {
    const journal = new Journal(directory);
    assert.deepEqual(await journal.list(NOBODY), []);
    await journal.put({ execId, containerId, marker: "m" });
    const record: ExecRecord = { execId, containerId, host };
    await journal.put(record);
    assert.deepEqual(await new Journal(directory).list(NOBODY), [record]);
    assert.equal((await stat(join(directory, `${execId}.json`))).mode & 0o777, 0o600);
    await journal.remove(execId);
    await journal.remove(execId);
    assert.deepEqual(await readdir(directory), []);
  }));

test("an entry that was cut off, forged or misnamed is deleted, and names no process", () =>
  withDirectory(async (directory) => {
    const journal = new Journal(directory);
    await journal.put({ execId, containerId, host });
    const name = (digit: string) => join(directory, `${digit.repeat(64)}.json`);
    await writeFile(name("1"), '{"execId":');
    await writeFile(name("2"), JSON.stringify({ execId: "2".repeat(64), containerId, host: { ...host, pid: 1 } }));
    await writeFile(name("3"), JSON.stringify({ execId, containerId }));
    await writeFile(name("4"), JSON.stringify({ execId: "4".repeat(64), containerId: "../x" }));
    await writeFile(join(directory, `${execId}.json.new`), "half");
    assert.deepEqual(await journal.list(NOBODY), [{ execId, containerId, host }]);
    assert.deepEqual(await readdir(directory), [`${execId}.json`]);
  }));

test("what an agent notes of its own execs is left alone while it looks for what an earlier one left", () =>
  withDirectory(async (directory) => {
    const journal = new Journal(directory);
    await journal.put({ execId, containerId, host });
    await writeFile(join(directory, `${execId}.json.new`), "half");
    assert.deepEqual(await journal.list(new Set([execId])), []);
    assert.deepEqual((await readdir(directory)).toSorted(), [`${execId}.json`, `${execId}.json.new`]);
  }));

test("an id that is none cannot become a path", async () => {
  await assert.rejects(new Journal("/nowhere").put({ execId: "../../etc/passwd", containerId }), /is not the id/);
});
