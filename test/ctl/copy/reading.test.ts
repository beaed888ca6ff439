/** Files that are none, and disks that are slow. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, symlinkSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openFile, Reader } from "../../../src/ctl/copy/reading.ts";

function makePipe(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "fl-reading-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "pipe");
  execFileSync("mkfifo", [path]);
  return path;
}

test("a pipe in a file's place is not waited for, and a link not followed", (t) => {
  const path = makePipe(t);
  assert.equal(openFile(path), undefined);
  symlinkSync("/etc/passwd", `${path}-link`);
  assert.throws(() => openFile(`${path}-link`), /pipe-link cannot be read: it has just become a link\./);
});

test("after a read that took long, others go on while the next one waits", async (t) => {
  const path = makePipe(t);
  const descriptor = openSync(path, "r+");
  t.after(() => closeSync(descriptor));
  let ms = 0;
  const reader = new Reader(() => (ms += 51));
  const into = new Uint8Array(10);
  writeSync(descriptor, "first");
  assert.equal(await reader.read({ descriptor, path }, into), 5);
  const next = reader.read({ descriptor, path }, into);
  // It would never get here.
  writeSync(descriptor, "late");
  assert.equal(await next, 4);
});
