import assert from "node:assert/strict";
import { test } from "node:test";
import { FramePool, hold, isPooled } from "../../src/mux/frame-pool.ts";

test("a large frame's memory is used again, once it was given back", () => {
  const pool = new FramePool();
  const frame = pool.blank(16_390);
  assert.notEqual(pool.blank(16_390).buffer, frame.buffer);
  pool.recycle(frame.subarray(6));
  assert.equal(pool.blank(15_000).buffer, frame.buffer);
});

test("what does not come from a pool is never given out, whatever its length", () => {
  const pool = new FramePool();
  const foreign = new Uint8Array(pool.blank(16_390).buffer.byteLength);
  pool.recycle(foreign);
  assert.notEqual(pool.blank(16_390).buffer, foreign.buffer);
});

test("only a pool's frame has room in front, and its message has not", () => {
  const frame = new FramePool().blank(65_542);
  assert.ok(isPooled(frame));
  assert.ok(!isPooled(frame.subarray(1)));
  assert.ok(!isPooled(new Uint8Array(frame.buffer.byteLength).subarray(14)));
  assert.ok(!isPooled(new FramePool().blank(100)));
});

test("what a transport holds is not used again when it is given back, nor after it has left", () => {
  const pool = new FramePool();
  const frame = pool.blank(16_390);
  const release = hold(frame);
  pool.recycle(frame);
  assert.notEqual(pool.blank(16_390).buffer, frame.buffer);
  release();
  pool.recycle(frame);
  assert.notEqual(pool.blank(16_390).buffer, frame.buffer);
});

test("what has left is used again, and once only, however often it is given back", () => {
  const pool = new FramePool();
  const frame = pool.blank(16_390);
  hold(frame)();
  pool.recycle(frame);
  pool.recycle(frame);
  assert.equal(pool.blank(16_390).buffer, frame.buffer);
  assert.notEqual(pool.blank(16_390).buffer, frame.buffer);
});
