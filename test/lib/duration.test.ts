/** Durations are read exactly as Go reads them, and what is written reads back the same. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assert as check, integer, property } from "fast-check";
import { formatDuration, parseDuration } from "../../src/lib/duration.ts";

test("a duration of Go's grammar becomes milliseconds", () => {
  const table: [string, number][] = [
    ["0", 0],
    ["+0", 0],
    ["-0", 0],
    ["0s", 0],
    ["30s", 30_000],
    ["1m", 60_000],
    ["2m30s", 150_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["1.s", 1000],
    ["500ms", 500],
    ["-2s", -2000],
    ["+2s", 2000],
    ["1h2m3s4ms5us6ns", 3_723_004.005006],
    ["10µs", 0.01],
    ["10μs", 0.01],
    ["1s1s", 2000],
    ["0.100000000000000000000h", 360_000],
    ["0.9ns", 0],
    ["9223372036854775807ns", 9_223_372_036_854.775],
    ["-9223372036854775808ns", -9_223_372_036_854.775],
  ];
  for (const [text, ms] of table) assert.equal(parseDuration(text), ms, text);
});

test("anything that Go refuses is refused", () => {
  const bad = [
    "",
    "90",
    "1m30",
    "1d",
    "s",
    ".s",
    "-",
    "+",
    "1 s",
    " 1s",
    "1s ",
    "1e3s",
    "1,5s",
    "--1s",
    "1S",
    "∞",
    "00",
  ];
  const huge = ["9223372036854775808ns", "2562048h", `${"9".repeat(99)}h`, `1${"0".repeat(1000)}s`];
  for (const text of [...bad, ...huge]) assert.throws(() => parseDuration(text), RangeError, JSON.stringify(text));
});

test("a duration is written in its shortest exact form", () => {
  const table: [number, string][] = [
    [0, "0s"],
    [10_000, "10s"],
    [90_000, "1m30s"],
    [14_400_000, "4h"],
    [3_601_000, "1h1s"],
    [1.5, "1.5ms"],
    [1500, "1.5s"],
    [-2000, "-2s"],
    [600_000, "10m"],
    [100, "100ms"],
  ];
  for (const [ms, text] of table) assert.equal(formatDuration(ms), text);
});

test("every whole number of milliseconds survives being written and read", () => {
  check(
    property(integer({ min: -(2 ** 42), max: 2 ** 42 }), (ms) => {
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }),
  );
});
