import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseTime } from "../../src/lib/time.ts";

const NOW = Date.parse("2024-05-01T12:00:00.500Z");

suite("times", () => {
  test("a duration is so long ago", () => {
    assert.equal(parseTime("10m", NOW), "1714564200.500000000");
    assert.equal(parseTime("1h30m", NOW), "1714559400.500000000");
  });

  test("a date keeps its nanoseconds and its zone", () => {
    assert.equal(parseTime("2024-05-01T10:00:00.123456789Z", NOW), "1714557600.123456789");
    assert.equal(parseTime("2024-05-01T12:00:00+02:00", NOW), "1714557600.000000000");
    assert.equal(parseTime("2024-05-01 10:00Z", NOW), "1714557600.000000000");
  });

  test("Unix seconds stay what they are", () => {
    assert.equal(parseTime("1714557600.5", NOW), "1714557600.5");
  });

  test("anything else is refused", () => {
    for (const text of ["", "yesterday", "2024-13-01", "10 m", "-1"])
      assert.throws(() => parseTime(text, NOW), RangeError, text);
  });
});
