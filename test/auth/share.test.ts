import assert from "node:assert/strict";
import { test } from "node:test";
import { checkShare } from "../../src/auth/share.ts";

const WORDS = "There are at most so many";

/** How many one gets while others hold so many. */
function gets(bound: number, others: number): number {
  for (let own = 0; ; own += 1)
    try {
      checkShare(bound, { all: others + own, own }, WORDS);
    } catch {
      return own;
    }
}

test("one alone gets three quarters, and who comes next three quarters of the rest", () => {
  assert.equal(gets(100, 0), 75);
  assert.equal(gets(100, 75), 19);
  assert.equal(gets(100, 94), 5);
  assert.equal(gets(100, 99), 1);
  assert.equal(gets(100, 100), 0);
});

test("a bound of a few is nobody's in part", () => {
  for (const bound of [1, 2, 3]) assert.equal(gets(bound, 0), bound);
});

test("the words say which bound it is, and whose the places are", () => {
  assert.throws(() => checkShare(100, { all: 100, own: 2 }, WORDS), { code: "too-many", message: `${WORDS}.` });
  const kept = `${WORDS}; you have 75, and the rest is kept for others.`;
  assert.throws(() => checkShare(100, { all: 75, own: 75 }, WORDS), { code: "too-many", message: kept });
});
