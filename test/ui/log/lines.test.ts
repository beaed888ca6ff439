/** Log lines put together from pieces. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { LineAssembler, MAX_LINE } from "../../../src/ui/log/lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

test("lines carry their time apart from their text, and a carriage return before the end is none", () => {
  const lines = new LineAssembler();
  assert.deepEqual(lines.push("stdout", bytes("2026-11-21T04:01:02.123456789Z GET /\r\nno stamp\n")), [
    { from: "stdout", time: "2026-11-21T04:01:02.123456789Z", text: "GET /" },
    { from: "stdout", time: "", text: "no stamp" },
  ]);
});

test("the two streams never mix inside a line, and the rest comes out at the end", () => {
  const lines = new LineAssembler();
  assert.deepEqual(lines.push("stdout", bytes("out")), []);
  assert.deepEqual(lines.push("stderr", bytes("err\n")), [{ from: "stderr", time: "", text: "err" }]);
  assert.deepEqual(lines.push("stdout", bytes("put\nla")), [{ from: "stdout", time: "", text: "output" }]);
  assert.deepEqual(lines.flush(), [{ from: "stdout", time: "", text: "la" }]);
  assert.deepEqual(lines.flush(), []);
});

test("wherever the bytes are cut, the lines are the same", () => {
  const text = fc.array(
    fc.string({ unit: "grapheme" }).filter((line) => !/[\r\n]/.test(line)),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(text, fc.array(fc.nat()), (texts, places) => {
      const whole = bytes(texts.map((line) => `${line}\n`).join(""));
      const at = [0, ...places.map((place) => place % (whole.length + 1)).sort((a, b) => a - b), whole.length];
      const lines = new LineAssembler();
      const found = at.slice(1).flatMap((end, index) => lines.push("stdout", whole.slice(at[index], end)));
      assert.deepEqual(
        found.map((line) => line.text),
        texts,
      );
    }),
  );
});

test("an endless line is cut and says by how much", () => {
  const lines = new LineAssembler();
  for (let i = 0; i < 3; i++) assert.deepEqual(lines.push("stdout", bytes("x".repeat(MAX_LINE))), []);
  const [line] = lines.push("stdout", bytes("\nnext\n"));
  assert.equal(line?.text, `${"x".repeat(MAX_LINE)} … (${2 * MAX_LINE} more characters)`);
});
