/** `npm run check` belongs to the tests: types, the linter, the format, and what nobody uses. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const ROOT = join(import.meta.dirname, "..");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };

const { check = "" } = scripts;
assert.match(check, /^npm run \w+( && npm run \w+)*$/);

for (const name of check.split(" && ").map((command) => command.replace("npm run ", "")))
  test(`npm run ${name}`, () => {
    const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", name], { cwd: ROOT, encoding: "utf8" });
    assert.equal(status, 0, `${stdout}${stderr}`);
  });
