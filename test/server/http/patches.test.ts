/** How what changes is told to those who follow it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { patches } from "../../../src/server/http/patches.ts";

/** The lines that come of these states, in each of which everything may be different. */
async function lines(...states: Record<string, object>[]): Promise<object[]> {
  const names = new Set(states.flatMap((state) => Object.keys(state)));
  let now: Record<string, object> = {};
  async function* changes() {
    for (const state of states) {
      now = state;
      yield names;
    }
  }
  const told: object[] = [];
  for await (const line of patches(changes(), (name) => now[name])) told.push(line);
  return told;
}

test("at first everything is told, also that there is nothing, and then only what is different", async () => {
  const states = [{}, { a: { cpu: 1, free: 2 } }, { a: { cpu: 1, free: 2 } }, { a: { cpu: 3 }, b: {} }, { b: {} }];
  assert.deepEqual(await lines(...states), [
    {},
    { a: { cpu: 1, free: 2 } },
    { a: { free: null, cpu: 3 }, b: {} },
    { a: null },
  ]);
});

test("what is gone before it was told is not told, and what has come again is told as a whole", async () => {
  const a = { uid: 1, facts: { name: "a" } };
  assert.deepEqual(await lines({ a }, {}, {}, { a }), [{ a }, { a: null }, { a }]);
});

test("a line ends where it is long enough, and the next one goes on", async () => {
  const text = "x".repeat(600_000);
  const [one = {}, two = {}, ...none] = await lines({ a: { text }, b: { text }, c: { text } });
  assert.deepEqual([Object.keys(one), Object.keys(two), none], [["a", "b"], ["c"], []]);
});
