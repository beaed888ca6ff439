/** The lines a log view keeps. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Book, MAX_CHARS, MAX_LINES } from "../../../src/ui/log/book.ts";
import type { Line } from "../../../src/ui/log/lines.ts";

function numbered(count: number, start = 0): Line[] {
  return Array.from({ length: count }, (_, i) => ({ from: "stdout", time: "", text: `line ${start + i}` }));
}

test("the newest lines stay, the oldest go, and the view is told how many", () => {
  const book = new Book();
  for (let i = 0; i < 3 * MAX_LINES; i += 1000) book.append(numbered(1000, i));
  assert.ok(book.length >= MAX_LINES && book.length <= MAX_LINES * 1.1);
  assert.equal(book.shown.at(-1)?.text, `line ${3 * MAX_LINES - 1}`);
  assert.equal(book.shown[0]?.text, `line ${book.shownDropped}`);
  assert.equal(book.total, 3 * MAX_LINES);
  assert.equal(book.dropped, book.total - book.length);
  assert.ok(book.full);
  book.clear();
  assert.equal(book.dropped, 0);
});

test("the filter holds for what is there, what comes and what goes", () => {
  const book = new Book();
  book.append(numbered(100));
  book.filter("LINE 9");
  assert.equal(book.shown.length, 11);
  book.append([{ from: "stderr", time: "", text: "\x1b[31mli\x1b[0mne 9!" }]);
  book.append([{ from: "note", time: "", text: "a gap" }]);
  assert.equal(book.shown.length, 13);
  for (let i = 0; i < 2 * MAX_LINES; i += 1000) book.append(numbered(1000, 1_000_000 + i));
  assert.equal(book.shown.length, 0);
  assert.equal(book.shownDropped, 13);
  book.filter("");
  assert.equal(book.shown.length, book.length);
});

test("long lines count by their characters", () => {
  const book = new Book();
  const text = "x".repeat(16_384);
  for (let i = 0; i < (2 * MAX_CHARS) / text.length; i++) book.append([{ from: "stdout", time: "", text }]);
  assert.ok(book.length * text.length <= MAX_CHARS * 1.1);
  assert.ok(book.length * text.length >= MAX_CHARS * 0.9);
});

test("clearing forgets the lines and keeps the filter", () => {
  const book = new Book();
  book.filter("9");
  book.append(numbered(10));
  book.clear();
  assert.equal(book.length, 0);
  book.append(numbered(10));
  assert.deepEqual(
    book.shown.map(({ text }) => text),
    ["line 9"],
  );
});
