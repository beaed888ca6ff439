/** Log lines made safe: colours stay, everything else that could act is only shown. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { css, plain, runs } from "../../../src/ui/log/text.ts";

test("colours and weights become runs", () => {
  assert.deepEqual(runs("a \x1b[1;31mred\x1b[0m b \x1b[92mgreen\x1b[39m."), [
    { text: "a ", style: {} },
    { text: "red", style: { bold: true, fg: 1 } },
    { text: " b ", style: {} },
    { text: "green", style: { fg: 10 } },
    { text: ".", style: {} },
  ]);
});

test("the 256 colours and true colours are understood in both spellings", () => {
  const style = (codes: string) => runs(`\x1b[${codes}mx`)[0]?.style;
  assert.deepEqual(style("38;5;208"), { fg: 208 });
  assert.deepEqual(style("48:2:255:0:300"), { bg: "#ff00ff" });
  assert.deepEqual(style("38;5;999;4"), { underline: true });
  assert.deepEqual(style("38;2;1;2;3;7"), { fg: "#010203", inverse: true });
});

test("palette entries have a CSS colour each, the first sixteen from the theme", () => {
  assert.equal(css(3), "var(--ansi-3)");
  assert.equal(css(16), "rgb(0 0 0)");
  assert.equal(css(208), "rgb(255 135 0)");
  assert.equal(css(255), "rgb(238 238 238)");
  assert.equal(css("#010203"), "#010203");
});

test("control characters, other escape sequences and what reorders text become visible", () => {
  assert.equal(
    plain("a\x1b[2Kb\x1b]52;c;eA==\x07c\rd\x9be\u202ef\x00\ttab"),
    "a␛[2Kb␛]52;c;eA==␇c␍d\\u009be\\u202ef␀\ttab",
  );
});

test("no line leaves a character that acts, and none loses a character that is read", () => {
  // oxlint-disable-next-line no-control-regex -- that is what it looks for
  const acting = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/;
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\x1b[", "\x1b[31m", "m", ";", "\x9b", "\x1b]0;"),
  );
  fc.assert(
    fc.property(fc.array(piece), (pieces) => {
      const line = pieces.join("");
      const shown = runs(line)
        .map(({ text }) => text)
        .join("");
      assert.doesNotMatch(shown, acting);
      assert.equal(shown, plain(line));
    }),
  );
});

test("a hostile line costs time in proportion to its length", () => {
  const started = performance.now();
  const line = "\x1b[1;".repeat(250_000);
  assert.equal(plain(line).length, line.length);
  assert.ok(performance.now() - started < 10_000);
});
