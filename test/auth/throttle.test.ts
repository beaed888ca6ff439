import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Throttle, type Verdict } from "../../src/auth/throttle.ts";
import { clocks } from "../support/clocks.ts";

const DAY = 86_400_000;

function desk() {
  let now = 1_000_000;
  return { throttle: new Throttle(() => now), pass: (ms: number) => void (now += ms) };
}

suite("the throttle", () => {
  test("holds each wrong answer back for longer, and refuses after the tenth in a minute", () => {
    const { throttle } = desk();
    const verdicts: Verdict[] = Array.from({ length: 11 }, () => throttle.failed("mallory"));
    const delays = verdicts.slice(0, 10).map((verdict) => ("delayMs" in verdict ? verdict.delayMs : Number.NaN));
    assert.deepEqual(delays, [50, 100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000, 2_000]);
    assert.deepEqual(verdicts[10], { retryAfterMs: 60_000 });
    assert.equal(throttle.blockedFor("mallory"), 60_000);
  });

  test("never slows another source", () => {
    const { throttle } = desk();
    for (let i = 0; i < 100; i++) throttle.failed("mallory");
    assert.equal(throttle.blockedFor("alice"), 0);
    assert.deepEqual(throttle.failed("alice"), { delayMs: 50 });
  });

  test("forgets after a minute", () => {
    const { throttle, pass } = desk();
    for (let i = 0; i < 10; i++) throttle.failed("mallory");
    pass(59_999);
    assert.equal(throttle.blockedFor("mallory"), 1);
    pass(1);
    assert.equal(throttle.blockedFor("mallory"), 0);
    assert.deepEqual(throttle.failed("mallory"), { delayMs: 50 });
  });

  test("blocks for a minute, however the clock is set, awake or asleep", (t) => {
    const { jump, suspend } = clocks(t);
    for (const ms of [-DAY, DAY]) {
      const throttle = new Throttle();
      for (let i = 0; i < 10; i++) throttle.failed("mallory");
      jump(ms);
      const left = throttle.blockedFor("mallory");
      assert.ok(left > 0 && left <= 60_000, `${left} ms`);
      suspend(60_000);
      assert.equal(throttle.blockedFor("mallory"), 0);
    }
  });

  test("does not remember more sources than it may", () => {
    const { throttle } = desk();
    for (let i = 0; i < 10; i++) throttle.failed("first");
    for (let i = 0; i < 10_000; i++) throttle.failed(`source ${i}`);
    assert.equal(throttle.blockedFor("first"), 0);
    assert.deepEqual(throttle.failed("source 9999"), { delayMs: 100 });
  });
});
