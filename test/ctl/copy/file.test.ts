/** Files on disks that are quick, and on one that is not. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { FileWriter } from "../../../src/ctl/copy/file.ts";

const PIECE = 100_000;
const PIECES = 30;

function directory(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "fl-file-"));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
}

function open(t: TestContext, path: string, flags: string): number {
  const descriptor = openSync(path, flags);
  t.after(() => closeSync(descriptor));
  return descriptor;
}

const bytes = randomBytes(PIECE * PIECES);

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += PIECE) yield bytes.subarray(at, at + PIECE);
}

for (const [disk, step] of [
  ["quick", 0],
  ["slow", 51],
] as const)
  test(`a ${disk} disk gets every byte, and each piece is told when it is there`, async (t) => {
    const path = join(directory(t), "file");
    const descriptor = open(t, path, "w");
    let written = 0;
    let ms = 0;
    const writer = new FileWriter({ written: ({ length }) => (written += length), now: () => (ms += step) });
    await writer.write(pieces(), descriptor);
    assert.ok(readFileSync(path).equals(bytes));
    assert.equal(written, bytes.length);
  });

test("after a write that took long, others go on while the next ones wait", async (t) => {
  const path = join(directory(t), "pipe");
  execFileSync("mkfifo", [path]);
  const descriptor = open(t, path, "r+");
  let ms = 0;
  const writer = new FileWriter({ written: () => {}, now: () => (ms += 51) });
  // Quick enough to be there, and then far more than a pipe takes.
  async function* some(): AsyncGenerator<Uint8Array> {
    yield Buffer.alloc(10);
    yield Buffer.alloc(200_000);
  }
  const done = writer.write(some(), descriptor);
  const into = Buffer.alloc(65_536);
  for (let got = 0; got < 200_010; ) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    got += readSync(descriptor, into);
  }
  await done;
});
