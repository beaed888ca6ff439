/** Rates out of what the engine counts. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { GAP, ratesOf, type Sample } from "../../../src/ui/details/rates.ts";

function sample(time: number, bytes: number): Sample {
  const stats = {
    id: "1",
    name: "web",
    cpu: 0,
    memory: { used: 0, limit: 0 },
    network: { received: bytes, sent: 2 * bytes },
    block: { read: 0, written: 3 * bytes },
    pids: 1,
  };
  return { time, stats };
}

test("a rate is what came since the sample before, by the second", () => {
  assert.deepEqual(ratesOf(sample(0, 1_000), sample(2_000, 5_000)), {
    received: 2_000,
    sent: 4_000,
    read: 0,
    written: 6_000,
  });
});

test("there is none at first, after a gap, and when the container began to count anew", () => {
  assert.equal(ratesOf(undefined, sample(0, 1)), undefined);
  assert.equal(ratesOf(sample(0, 1), sample(GAP + 1, 2)), undefined);
  assert.equal(ratesOf(sample(0, 1_000), sample(1_000, 10)), undefined);
});
