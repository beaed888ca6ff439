/** The README names files and commands that exist. */

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");

test("every file that a keystroke meets exists", () => {
  const keystroke = readme.slice(readme.indexOf("## Follow one keystroke"));
  const files = [...keystroke.matchAll(/^\d+\. `([^`]+)`/gm)].map(([, file]) => file ?? "");
  assert.ok(files.length >= 10);
  assert.deepEqual(
    files.filter((file) => !existsSync(root + file)),
    [],
  );
});

test("every page that the README points to exists", () => {
  const links = [...readme.matchAll(/\]\(([^)#]+)\)/g)].map(([, link]) => link ?? "");
  assert.deepEqual(
    links.filter((link) => !existsSync(root + link)),
    [],
  );
});

test("every npm script that the README names exists", () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as { scripts: Record<string, string> };
  const named = [...readme.matchAll(/npm (?:run )?(start|test|check|bench|faults)\b/g)].map(([, name]) => name ?? "");
  assert.deepEqual(
    named.filter((name) => !(name in scripts)),
    [],
  );
});
