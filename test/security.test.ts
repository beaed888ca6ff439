/** The table in docs/security.md names tests that exist. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const [, table = ""] = readFileSync(`${root}docs/security.md`, "utf8").split("## What went wrong elsewhere");
const rows = table.split("\n").filter((line) => /^\| .*(?:CVE|GHSA|`test\/)/.test(line));

suite("the table of what went wrong elsewhere", () => {
  test("names a test in each row, or says that there is none yet", () => {
    assert.ok(rows.length >= 40);
    assert.deepEqual(
      rows.filter((row) => !/`test\/[^`]+`: "|no test yet/.test(row)),
      [],
    );
  });

  test("names tests that exist", () => {
    const named = [...table.matchAll(/`(test\/[^`]+)`: "([^"]+)"/g)];
    assert.ok(named.length >= 40);
    const missing = named.filter(([, file = "", name = ""]) => !declares(root + file, name));
    assert.deepEqual(
      missing.map(([cell]) => cell),
      [],
    );
  });
});

/** Whether a test in the file has that name, or one that ends so. */
function declares(file: string, name: string): boolean {
  if (!existsSync(file)) return false;
  const declarations = readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => /^\s*(?:for .*)?test\(/.test(line));
  return declarations.some((line) => line.includes(`${name}"`) || line.includes(`${name}\``));
}
