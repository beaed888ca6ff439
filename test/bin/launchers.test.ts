/** The launchers in `bin/`: they find the program and a Node for it from wherever they are called, and say what is missing. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";

const BIN = fileURLToPath(new URL("../../bin", import.meta.url));

/** Tells its arguments and ends with 7. */
const PROGRAM = "console.log(JSON.stringify(process.argv.slice(2))); process.exitCode = 7;";

describe("a launcher", () => {
  let root: string;
  let home: string;

  before(() => {
    root = mkdtempSync(join(tmpdir(), "fl-launcher-"));
    home = join(root, "home");
    mkdirSync(join(root, "checkout"));
    mkdirSync(join(root, "path"));
    cpSync(BIN, join(root, "checkout/bin"), { recursive: true });
    symlinkSync(process.execPath, join(root, "path/node"));
  });
  after(() => rmSync(root, { recursive: true }));

  const build = (program: string): void => {
    mkdirSync(join(root, "checkout/dist", program), { recursive: true });
    writeFileSync(join(root, "checkout/dist", program, "main.js"), PROGRAM);
  };
  /** Runs it with nothing but `path` on the PATH, and `readlink`, which only links need. */
  const launch = (program: string, args: string[], path: string = join(root, "path")) =>
    spawnSync("/bin/sh", [program, ...args], { encoding: "utf8", env: { PATH: path, HOME: home } });

  test("says how to build what is not built", () => {
    const { status, stderr } = launch(join(root, "checkout/bin/ctl"), ["ps"]);
    assert.equal(status, 1);
    assert.match(stderr, /dist\/ctl\/main\.js is not built.*npm run build/);
  });

  test("passes every argument and the exit code", () => {
    build("ctl");
    const args = ["exec", "a b", "", "--", "$HOME", "*"];
    const { status, stdout } = launch(join(root, "checkout/bin/ctl"), args);
    assert.deepEqual([status, JSON.parse(stdout)], [7, args]);
  });

  test("finds its checkout through links, relative and absolute", () => {
    build("ctl");
    symlinkSync("checkout/bin/ctl", join(root, "one"));
    symlinkSync(join(root, "one"), join(root, "two"));
    const { status, stderr } = launch(join(root, "two"), [], `${join(root, "path")}:/usr/bin:/bin`);
    assert.equal(status, 7, stderr);
  });

  test("says what to install when there is no Node, or an old one only", () => {
    build("ctl");
    const none = launch(join(root, "checkout/bin/ctl"), [], "/nonexistent");
    assert.equal(none.status, 1);
    assert.match(none.stderr, /needs Node 24.*nodejs\.org/);

    mkdirSync(join(root, "old"));
    for (const version of ["20.20.2", "22.12.0"]) {
      writeFileSync(join(root, "old/node"), `#!/bin/sh\necho v${version}\n`, { mode: 0o755 });
      const old = launch(join(root, "checkout/bin/ctl"), [], join(root, "old"));
      assert.equal(old.status, 1);
      assert.match(old.stderr, new RegExp(`needs Node 24 \\(or 22\\.13 at least\\).*on the PATH is ${version}`));
    }
  });

  test("of fairlead starts the agent, shows its help, and knows no other program", () => {
    build("agent");
    const fairlead = join(root, "checkout/bin/fairlead");
    assert.deepEqual(JSON.parse(launch(fairlead, ["agent", "--debug"]).stdout), ["--debug"]);
    const { status, stderr } = launch(fairlead, ["agnet"]);
    assert.equal(status, 2);
    assert.match(stderr, /no program "agnet"/);
    const help = launch(fairlead, ["--help"], "/usr/bin:/bin");
    assert.deepEqual([help.status, /fairlead PROGRAM/.test(help.stdout)], [0, true]);
  });
});
