/** What a test can hold of two rules of the house: errors speak in sentences, and close codes stand in their tables only. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const src = fileURLToPath(new URL("../src", import.meta.url));

/** An error that is made of its words on the spot: the quote, and the words up to it. */
const ERROR =
  /new (?:(?:FairleadError|RuntimeError)\(\s*[^,()`]+,|(?:Failure|StartError)\()\s*(["`])((?:\\.|\$\{(?:[^{}`]|\{[^{}]*\}|`[^`]*`)*\}|(?!\1)[^\\])*)\1/g;
/** A capital, a digit, what somebody gave, or a setting with a colon or a verb behind it. */
const BEGINNING = /^(?:[A-Z0-9"]|\$\{|[a-z_]+(?::| is ))/;
/** The end of a sentence, something inserted that has its own, a command to type, or words that go on in the next string. */
const END = /[.?}]$|: (?:ctl|ls) [^.]*$|[.;] $/;
/** A close code where something is closed, compared or kept. */
const CLOSE_CODE = /\.close\(\d|\bcode\S* [!=]== (?:1\d{3}|4\d{3})\b|const [A-Z_]+ = (?:100[1-9]|101[0-5]|44\d\d);/;
const TABLES = ["mux/errors.ts", "protocol/errors.ts"];

function sources(): { path: string; text: string }[] {
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => ({ path, text: readFileSync(join(src, path), "utf8") }));
}

function wordsOf(text: string): string[] {
  return [...text.matchAll(ERROR)].map(([, , words = ""]) => words);
}

function isSentence(words: string): boolean {
  return BEGINNING.test(words) && END.test(words);
}

test("errors speak in sentences", () => {
  const all = sources().flatMap(({ path, text }) => wordsOf(text).map((words) => ({ path, words })));
  assert.ok(all.length > 150, `only ${all.length} errors were found: the pattern is too narrow`);
  assert.deepEqual(
    all.filter(({ words }) => !isSentence(words)),
    [],
  );
});

test("a fragment is found", () => {
  assert.deepEqual(wordsOf('throw new FairleadError("revoked", "your access was withdrawn");').map(isSentence), [
    false,
  ]);
  assert.deepEqual(wordsOf("new RuntimeError(code, `Port ${p} is taken`)").map(isSentence), [false]);
  assert.deepEqual(wordsOf("new Failure(`Port ${p} is taken.`)").map(isSentence), [true]);
});

test("close codes stand in their tables only", () => {
  const bare = sources().filter(({ path, text }) => !TABLES.includes(path) && CLOSE_CODE.test(text));
  assert.deepEqual(
    bare.map(({ path }) => path),
    [],
  );
  assert.match("mux.close(1001, words)", CLOSE_CODE);
  assert.match("if (info.code !== 1006) return", CLOSE_CODE);
});
