/** What becomes of an archive of a file that changes while it is made. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
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
