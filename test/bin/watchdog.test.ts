/** Tests that do not end: the others run, and what hangs fails by itself. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const WATCHDOG = fileURLToPath(new URL("../support/watchdog.ts", import.meta.url));
const PASSES = 'require("node:test").test("passes", () => {});';

describe("a run of tests", () => {
  let root: string;

  before(() => {
    root = mkdtempSync(join(tmpdir(), "fl-watchdog-"));
    writeFileSync(join(root, "a-held.cjs"), `${PASSES} setInterval(() => {}, 1000);`);
    writeFileSync(join(root, "b-stuck.cjs"), `${PASSES} process.on("exit", () => { for (;;); });`);
    writeFileSync(join(root, "c-quick.cjs"), PASSES);
  });
  after(() => rmSync(root, { recursive: true }));

  const run = (limits: NodeJS.ProcessEnv, ...names: string[]) => {
    const { NODE_TEST_CONTEXT: _, ...env } = process.env;
    const files = names.map((name) => join(root, `${name}.cjs`));
    return spawnSync(process.execPath, ["--require", WATCHDOG, "--test", "--test-concurrency=1", ...files], {
      env: { ...env, ...limits },
      encoding: "utf8",
      timeout: 60_000,
    });
  };

  test("goes on after a file that is held open, and after one that hangs when it exits", () => {
    const { status, stdout, stderr } = run({ FAIRLEAD_TEST_FILE_LIMIT: "3000" }, "a-held", "b-stuck", "c-quick");
    assert.equal(status, 1);
    assert.match(stdout, /not over after .* what is open: .*Timeout/);
    assert.match(stderr, /^process \d+ did not end .* killed\n$/);
    assert.match(stdout, /✖ \S+a-held.cjs/);
    assert.match(stdout, /✖ \S+b-stuck.cjs/);
    assert.match(stdout, /pass 3\n/);
  });

  test("ends when it takes too long as a whole, with what it has", () => {
    const { status, stdout } = run({ FAIRLEAD_TEST_RUN_LIMIT: "8000" }, "a-held", "b-stuck");
    assert.equal(status, 1);
    assert.match(stdout, /Interrupted while running/);
    assert.match(stdout, /pass 1\n/);
  });
});
