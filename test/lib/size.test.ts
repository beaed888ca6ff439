/** Sizes are read with the suffixes people use, and what is written reads back the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as check, maxSafeNat, property } from "fast-check";
import { formatSize, parseSize, roundSize } from "../../src/lib/size.ts";

test("a size becomes bytes: letters and the i forms in 1024s, the B forms in 1000s", () => {
  const table: [string, number][] = [
    ["0", 0],
    ["1024", 1024],
    ["512b", 512],
    ["64k", 65_536],
    ["64K", 65_536],
    ["64m", 67_108_864],
    ["64MiB", 67_108_864],
    ["64 MiB", 67_108_864],
    ["10MB", 10_000_000],
    ["1kB", 1000],
    ["1.5g", 1_610_612_736],
    ["2t", 2_199_023_255_552],
    ["10485760", 10_485_760],
  ];
  for (const [text, bytes] of table) assert.equal(parseSize(text), bytes, text);
});

test("anything else is refused", () => {
  const bad = [
    "",
    "m",
    "-1",
    "+1",
    "1e3",
    "1,5m",
    "64mm",
    "64x",
    "1ib",
    "1.5",
    "1.5b",
    "0x10",
    " 1",
    "1  m",
    "9".repeat(17),
    "9007199254740993",
  ];
  for (const text of bad) assert.throws(() => parseSize(text), RangeError, JSON.stringify(text));
  assert.throws(() => parseSize("9999999t"), /more bytes/);
});

test("every size survives being written and read", () => {
  check(
    property(maxSafeNat(), (bytes) => {
      assert.equal(parseSize(formatSize(bytes)), bytes);
    }),
  );
  assert.equal(formatSize(67_108_864), "64m");
  assert.equal(formatSize(1_572_864), "1536k");
});

test("for people a size has the digits that count", () => {
  const table: [number, 1000 | 1024, string][] = [
    [0, 1000, "0B"],
    [999, 1000, "999B"],
    [1_234, 1000, "1.23kB"],
    [5_600_000, 1000, "5.6MB"],
    [1_023, 1024, "1023B"],
    [921_600, 1024, "900KiB"],
    [21_927_690, 1024, "20.91MiB"],
    [2 ** 54, 1024, "16380TiB"],
  ];
  for (const [bytes, base, text] of table) assert.equal(roundSize(bytes, base), text);
});
