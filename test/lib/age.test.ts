import assert from "node:assert/strict";
import { test } from "node:test";
import { age } from "../../src/lib/age.ts";

test("an age is told in the largest unit of which there are two", () => {
  assert.deepEqual(
    [0, 1, 119, 120, 7_199, 7_200, 86_400, 172_800, 400 * 86_400].map((seconds) => age(seconds * 1_000)),
    ["0s", "1s", "119s", "2m", "119m", "2h", "24h", "2d", "400d"],
  );
});

test("a moment that is still to come, on a clock that is ahead, has no age", () => {
  assert.equal(age(-5_000), "0s");
});
