import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { compareSince, earlierSince } from "../../src/lib/stamp.ts";

suite("a moment to the nanosecond", () => {
  test("is compared whatever digits are left out", () => {
    assert.ok(compareSince("7.356", "7.100000000") > 0);
    assert.ok(compareSince("7.1", "7.356000000") < 0);
    assert.equal(compareSince("7", "7.000000000"), 0);
  });

  test("is taken back by a microsecond, across seconds, and not beyond the first", () => {
    assert.equal(earlierSince("1795264044.356195924"), "1795264044.356194924");
    assert.equal(earlierSince("1795264044.000000999"), "1795264043.999999999");
    assert.equal(earlierSince("1.5"), "1.499999000");
    assert.equal(earlierSince("0.000000000"), "0.000000000");
  });
});
