import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { FairleadError } from "../../src/protocol/errors.ts";
import { Upkeep } from "../../src/server/upkeep.ts";
import { clocks } from "../support/clocks.ts";

/** No pause is longer, and what was away for so long is told again, in milliseconds. */
const PAUSE_MS = 1_000;
const LONG_MS = 601_000;

test("reasons for which work fails in turns are each told once, and again when they were away for long", async (t) => {
  const { pass } = clocks(t);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const told: string[] = [];
  const warn = ({ reason }: { reason: string }) => told.push(reason);
  const life = new AbortController();
  const upkeep = new Upkeep({ warn, error: assert.fail }, life.signal);
  const ahead: string[] = [];
  upkeep.every(PAUSE_MS, "tidying up", async () => {
    const reason = ahead.shift();
    if (reason !== undefined) throw new FairleadError("storage-unavailable", reason);
  });
  const failing = async (...reasons: string[]) => {
    ahead.push(...reasons);
    for (; ahead.length > 0; await nextTurn()) t.mock.timers.tick(PAUSE_MS);
  };
  await failing("busy", "full", "busy", "full", "busy");
  assert.deepEqual(told, ["busy", "full"]);
  pass(LONG_MS);
  await failing("full", "busy", "full");
  assert.deepEqual(told, ["busy", "full", "full", "busy"]);
  life.abort();
  await upkeep.ended();
});
