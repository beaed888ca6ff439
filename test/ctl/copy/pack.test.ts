/** What becomes of an archive of what changes while it is made, or cannot be told in it. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { extract } from "tar-stream";
import { packTree } from "../../../src/ctl/copy/pack.ts";

const MIB = 1_048_576;

test("a file that becomes shorter breaks the archive off in words, which nobody else is told", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fl-pack-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const path = join(directory, "large");
  writeFileSync(path, new Uint8Array(4 * MIB));
  const read = async () => {
    for await (const _ of packTree(path, { name: "large", owners: false, leaveOut: assert.fail }))
      truncateSync(path, MIB);
  };
  // An error that nobody waits for fails this file: the runner hears of it.
  await assert.rejects(read, /large became shorter while it was copied/);
});

test("what is not called in UTF-8, or leads to that, is left out and told, and the rest is there", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fl-pack-"));
  t.after(() => rmSync(directory, { recursive: true }));
  const odd = Buffer.concat([Buffer.from(`${directory}/odd`), Buffer.of(0xff)]);
  writeFileSync(odd, "x");
  symlinkSync(odd, join(directory, "link"));
  // Here somebody has called a file what the other one looks like.
  for (const name of ["odd\ufffd", "\u00fc"]) writeFileSync(join(directory, name), name);
  const left: string[] = [];
  const leaveOut = (path: string, why: string) => void left.push(`${path.slice(directory.length)}: ${why}`);
  const archive = extract();
  const fed = (async () => {
    for await (const bytes of packTree(directory, { name: "d", owners: false, leaveOut })) archive.write(bytes);
    archive.end(null);
  })();
  const names: string[] = [];
  for await (const entry of archive) {
    names.push(entry.header.name);
    entry.resume();
  }
  await fed;
  assert.deepEqual(names, ["./d", "./d/odd\ufffd", "./d/\u00fc"].toSorted());
  const what = "not UTF-8; for that, pack with tar and copy from -";
  assert.deepEqual(left, [`/odd\ufffd: its name is ${what}`, `/link: what it leads to is ${what}`]);
});

test("a file that the system makes up while it is read is left out and told, and never an empty one", async (t) => {
  const directory = mkdtempSync(join(tmpdir(), "fl-pack-"));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, "empty"), "");
  const left: string[] = [];
  const leaveOut = (path: string, why: string) => void left.push(`${path} ${why}`);
  for (const path of ["/proc/self/status", join(directory, "empty")])
    for await (const _ of packTree(path, { name: "x", owners: false, leaveOut }));
  assert.deepEqual(left, ["/proc/self/status it does not tell how long it is; for that, cat it into a file first"]);
});
