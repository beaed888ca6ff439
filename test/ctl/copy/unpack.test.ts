/** What a hostile container may send to `ctl cp`: nothing outside of the copy changes (reliability.md CP-1, CP-2). */

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { type Header, pack } from "tar-stream";
import { Staging } from "../../../src/ctl/copy/staging.ts";
import { unpack } from "../../../src/ctl/copy/unpack.ts";

type Item = Partial<Header> & { name: string; body?: string };

const base = mkdtempSync(join(tmpdir(), "fl-unpack-"));
const home = join(base, "home");
const canary = join(base, "canary");
/** Where the copy is to be. */
const place = join(home, "copy");

beforeEach(() => {
  rmSync(base, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  writeFileSync(canary, "untouched");
  writeFileSync(join(home, "neighbour"), "untouched");
});
after(() => rmSync(base, { recursive: true, force: true }));

async function archiveOf(items: Item[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of items)
    if (body === undefined) archive.entry(header).end(null);
    else archive.entry(header, body);
  archive.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of archive as AsyncIterable<Uint8Array>) parts.push(part);
  return Buffer.concat(parts);
}

/** The same with a byte that no UTF-8 has in the place of each tilde. */
function oddly(archive: Buffer): Buffer {
  const bytes = Buffer.from(archive.toString("latin1").replaceAll("~", "\xff"), "latin1");
  for (let at = 0; at < bytes.length; at += 512) {
    const header = bytes.subarray(at, at + 512);
    if (header.toString("latin1", 257, 262) === "ustar") sumUp(header);
  }
  return bytes;
}

/** Unpacks and puts it in its place, as a copy does; the archive comes in pieces. */
async function copy(archive: Buffer, owners = false): Promise<string[]> {
  const staging = new Staging(home);
  try {
    const pieces = async function* () {
      for (let at = 0; at < archive.length; at += 1000) yield archive.subarray(at, at + 1000);
    };
    const { leftOut, seal } = await unpack(pieces(), { root: staging.root, owners });
    if (existsSync(staging.root)) {
      staging.commit(place);
      seal(place);
    }
    return leftOut;
  } finally {
    staging.discard();
  }
}

/** The world outside of the copy is as it was, and no half copy is left. */
function assertUntouched(): void {
  assert.equal(readFileSync(canary, "utf8"), "untouched");
  assert.equal(readFileSync(join(home, "neighbour"), "utf8"), "untouched");
  assert.deepEqual(readdirSync(base).toSorted(), ["canary", "home"]);
  assert.deepEqual(
    readdirSync(home).filter((name) => name !== "copy"),
    ["neighbour"],
  );
}

const root: Item = { name: "d", type: "directory" };

const HOSTILE: Record<string, Item[]> = {
  "an absolute name": [root, { name: "/canary", body: "evil" }],
  "an absolute name behind the root's": [root, { name: `d/${base}/canary`, body: "evil" }],
  "steps up": [root, { name: "d/../../canary", body: "evil" }],
  "steps up from the start": [root, { name: "../canary", body: "evil" }],
  "steps up as the root": [
    { name: "..", type: "directory" },
    { name: "canary", body: "evil" },
  ],
  "a name beside the root": [root, { name: "neighbour", body: "evil" }],
  "a name that only begins like the root": [root, { name: "dd/x", body: "evil" }],
  "an empty part": [root, { name: "d//x", body: "evil" }],
  "a part that is a point": [root, { name: "d/./x", body: "evil" }],
  "a parent that is a link": [
    root,
    { name: "d/sub", type: "directory" },
    { name: "d/l", type: "symlink", linkname: "sub" },
    { name: "d/l/x", body: "evil" },
  ],
  "a parent that is a file": [root, { name: "d/f", body: "x" }, { name: "d/f/x", body: "evil" }],
  "a parent that never came": [root, { name: "d/never/x", body: "evil" }],
  "a directory over a link of it": [
    root,
    { name: "d/sub", type: "directory" },
    { name: "d/l", type: "symlink", linkname: "sub" },
    { name: "d/l", type: "directory" },
    { name: "d/l/x", body: "evil" },
  ],
  "a file through a link of it": [
    root,
    { name: "d/f", body: "mine" },
    { name: "d/l", type: "symlink", linkname: "f" },
    { name: "d/l", body: "evil" },
  ],
  "the same name twice": [root, { name: "d/x", body: "one" }, { name: "d/x", body: "two" }],
  "another name for a file outside": [root, { name: "d/x", type: "link", linkname: "../canary" }],
  "another name for an absolute file": [root, { name: "d/x", type: "link", linkname: "/etc/passwd" }],
  "another name for a link": [
    root,
    { name: "d/f", body: "mine" },
    { name: "d/l", type: "symlink", linkname: "f" },
    { name: "d/x", type: "link", linkname: "d/l" },
  ],
  "something below a root that is a file": [
    { name: "d", body: "x" },
    { name: "d/x", body: "evil" },
  ],
  "more bytes than there is room for": [root, { name: "d/bomb", size: 2 ** 60 }],
};

for (const [what, items] of Object.entries(HOSTILE))
  test(`an archive with ${what} is refused, and nothing is there afterwards`, async () => {
    const whole = items.some(({ size }) => size) ? await bomb() : await archiveOf(items);
    await assert.rejects(copy(whole), { name: "Failure" });
    assert.ok(!existsSync(place));
    assertUntouched();
  });

/** A header alone: nobody waits for the rest. */
async function bomb(): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name: "bomb", size: 2 ** 60 });
  for await (const header of archive as AsyncIterable<Uint8Array>) return Buffer.from(header);
  throw new Error("no header");
}

test("headers without an end, cut off and meaningless archives are refused", async () => {
  const whole = await archiveOf([root, { name: "d/x", body: "x".repeat(3000) }]);
  const endless = Buffer.from(await archiveOf([{ name: "x", type: "file", body: "" }]));
  endless.write("x", 156); // A header of the format's own, about the next one ...
  endless.write("77777777777\0", 124); // ... of eight gigabytes.
  sumUp(endless);
  for (const archive of [whole.subarray(0, 2000), Buffer.alloc(4096, 7), endless])
    await assert.rejects(copy(archive), { name: "Failure" });
  await assert.rejects(copy(whole.subarray(0, 2000)), /ended the archive early, .* Nothing was copied\. Run it again/);
  assert.ok(!existsSync(place));
  assertUntouched();
});

function sumUp(header: Buffer): void {
  header.fill(" ", 148, 156);
  const sum = header.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
}

test("devices, pipes and links that leave are left out and told; everything else is there", async () => {
  const left = await copy(
    await archiveOf([
      root,
      { name: "d/null", type: "character-device", devmajor: 1, devminor: 3 },
      { name: "d/disk", type: "block-device", devmajor: 8, devminor: 0 },
      { name: "d/pipe", type: "fifo" },
      { name: "d/absolute", type: "symlink", linkname: "/etc/passwd" },
      { name: "d/up", type: "symlink", linkname: "../neighbour" },
      { name: "d/sub", type: "directory" },
      { name: "d/sub/back", type: "symlink", linkname: ".." },
      { name: "d/around", type: "symlink", linkname: "sub/back/../../canary" },
      { name: "d/sub/beside", type: "symlink", linkname: "../file" },
      { name: "d/file", body: "fine", mode: 0o4755 },
      { name: "d/other", type: "link", linkname: "d/file" },
    ]),
  );
  assert.deepEqual(
    left.map((words) => words.split(":")[0]),
    ["null", "disk", "pipe", "absolute", "up", "around"],
  );
  assert.deepEqual(readdirSync(place).toSorted(), ["file", "other", "sub"]);
  assert.equal(readFileSync(join(place, "sub/beside"), "utf8"), "fine");
  assert.equal(readlinkSync(join(place, "sub/back")), "..");
  assert.equal(statSync(join(place, "other")).ino, statSync(join(place, "file")).ino);
  assert.equal(statSync(join(place, "file")).mode & 0o7777, 0o755, "no set-id bits");
  assertUntouched();
});

test("names that are not UTF-8 are left out and told, with what lies below them and leads to them", async () => {
  const archive = await archiveOf([
    root,
    { name: "d/~1", body: "x" },
    { name: "d/~2", body: "y" },
    { name: "d/~3", type: "directory" },
    { name: "d/~3/f", body: "z" },
    { name: "d/l", type: "symlink", linkname: "~1" },
    { name: "d/other", type: "link", linkname: "d/~2" },
    { name: "d/fine", body: "fine" },
  ]);
  const left = await copy(oddly(archive));
  assert.deepEqual(
    left.map((words) => words.split(":")[0]),
    ["\ufffd1", "\ufffd2", "\ufffd3", "\ufffd3/f", "l", "other"],
  );
  for (const words of left)
    assert.match(words, /: a name in it is not UTF-8; for that, copy to - and unpack with tar$/);
  assert.deepEqual(readdirSync(place), ["fine"]);
});

test("names that differ only in their case are two files here, or refused, and never one over the other", async () => {
  const archive = await archiveOf([root, { name: "d/Key", body: "mine" }, { name: "d/key", body: "evil" }]);
  const refused = await copy(archive).then(
    () => false,
    () => true,
  );
  if (!refused) assert.equal(readFileSync(join(place, "Key"), "utf8"), "mine");
  assertUntouched();
});

test("rights and times are kept, of directories that may not be written too", async () => {
  const mtime = new Date(1_000_000_000_000);
  await copy(
    await archiveOf([
      { ...root, mode: 0o555, mtime },
      { name: "d/sub", type: "directory", mode: 0o500, mtime },
      { name: "d/sub/f", body: "x", mode: 0o400, mtime },
    ]),
  );
  const modes = ["", "sub", "sub/f"].map((name) => (lstatSync(join(place, name)).mode & 0o777).toString(8));
  assert.deepEqual(modes, ["555", "500", "400"]);
  assert.equal(statSync(join(place, "sub/f")).mtimeMs, mtime.getTime());
  assert.equal(statSync(join(place, "sub")).mtimeMs, mtime.getTime());
});

test("a copy into a directory that exists replaces files and keeps what is beside them", async () => {
  mkdirSync(join(place, "sub"), { recursive: true });
  writeFileSync(join(place, "sub/old"), "old");
  writeFileSync(join(place, "sub/both"), "old");
  await copy(await archiveOf([root, { name: "d/sub", type: "directory" }, { name: "d/sub/both", body: "new" }]));
  assert.equal(readFileSync(join(place, "sub/old"), "utf8"), "old");
  assert.equal(readFileSync(join(place, "sub/both"), "utf8"), "new");
});

test("a copy never writes through a link that is there, and changes nothing when something is in its way", async () => {
  mkdirSync(place);
  symlinkSync(base, join(place, "sub"));
  writeFileSync(join(place, "a"), "old");
  const archive = await archiveOf([
    root,
    { name: "d/a", body: "new" },
    { name: "d/sub", type: "directory" },
    { name: "d/sub/canary", body: "evil" },
  ]);
  await assert.rejects(copy(archive), /sub is no directory and "sub" is one/);
  assert.equal(readFileSync(join(place, "a"), "utf8"), "old");
  assertUntouched();
});

test("a copy changes nothing where a directory is another file system, or may not be written", async (t) => {
  const sub = join(place, "sub");
  mkdirSync(sub, { recursive: true });
  const archive = await archiveOf([
    root,
    { name: "d/a", body: "new" },
    { name: "d/sub", type: "directory" },
    { name: "d/sub/b", body: "new" },
  ]);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", sub]);
  t.after(() => spawnSync("umount", [sub]));
  await assert.rejects(copy(archive), /sub is another file system than what it is in\. Nothing was copied;/);
  assert.deepEqual([readdirSync(place), readdirSync(sub)], [["sub"], []]);
  execFileSync("umount", [sub]);
  execFileSync("mount", ["--bind", "-o", "ro", sub, sub]);
  await assert.rejects(copy(archive), /Nothing can be written in .*sub: .*read-only.* Nothing was copied/);
  assert.deepEqual(readdirSync(place), ["sub"]);
});

test("a copy that is stopped by what could not be foreseen tells where, and how far it came", async (t) => {
  mkdirSync(place);
  const busy = join(place, "b");
  writeFileSync(busy, "busy");
  execFileSync("mount", ["--bind", busy, busy]);
  t.after(() => execFileSync("umount", [busy]));
  const archive = await archiveOf([root, { name: "d/a", body: "new" }, { name: "d/b", body: "new" }]);
  await assert.rejects(
    copy(archive),
    /copy\/b cannot be put in its place: .*\. Of the copy 1 of 2 things are in theirs/,
  );
  assert.equal(readFileSync(busy, "utf8"), "busy");
  assertUntouched();
});

test("a file replaces a link that is there, and not what the link leads to", async () => {
  mkdirSync(place);
  symlinkSync(canary, join(place, "x"));
  await copy(await archiveOf([root, { name: "d/x", body: "new" }]));
  assert.equal(readFileSync(join(place, "x"), "utf8"), "new");
  assertUntouched();
});
