/** Sizes on their way to the engine. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Resizer } from "../../../../src/agent/runtime/docker/resizer.ts";
import type { Size } from "../../../../src/agent/runtime/runtime.ts";

test("one size is sent at a time and only the newest of those that waited", async () => {
  const sent: number[] = [];
  const answers: (() => void)[] = [];
  const resizer = new Resizer(({ cols }: Size) => {
    sent.push(cols);
    return new Promise<void>((resolve) => answers.push(resolve));
  });
  const all = [1, 2, 3, 4].map((cols) => resizer.resize({ cols, rows: 1 }));
  assert.deepEqual(sent, [1]);
  answers.shift()?.();
  await new Promise(setImmediate);
  assert.deepEqual(sent, [1, 4]);
  answers.shift()?.();
  await Promise.all(all);
  const last = resizer.resize({ cols: 5, rows: 1 });
  assert.deepEqual(sent, [1, 4, 5]);
  answers.shift()?.();
  await last;
});

test("an engine that knows no terminal any more is nobody's business", async () => {
  const resizer = new Resizer(() => Promise.reject(new Error("gone")));
  await resizer.resize({ cols: 1, rows: 1 });
  await resizer.resize({ cols: 2, rows: 2 });
});
