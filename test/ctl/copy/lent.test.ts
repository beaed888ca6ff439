import assert from "node:assert/strict";
import { test } from "node:test";
import { Lent } from "../../../src/ctl/copy/lent.ts";

test("a chunk is given back once all of its bytes are written, in whatever parts, and not before", () => {
  const back: ArrayBufferLike[] = [];
  const lent = new Lent(({ buffer }) => back.push(buffer));
  const chunk = new Uint8Array(100).subarray(20);
  lent.lend(chunk);
  lent.written(chunk.subarray(0, 30));
  lent.written(chunk.subarray(30, 79));
  assert.deepEqual(back, []);
  lent.written(chunk.subarray(79));
  assert.deepEqual(back, [chunk.buffer]);
  lent.lend(chunk);
  lent.written(chunk);
  assert.equal(back.length, 2);
});

test("neither one with a header in it, nor a copy, is ever given back", () => {
  const lent = new Lent(() => assert.fail("this may still be read"));
  const chunk = new Uint8Array(1_024);
  lent.lend(chunk);
  lent.written(chunk.slice());
  lent.written(chunk.subarray(512));
});
