/** A pump takes what there is, in order, and leaves room for everybody else. */

import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { pump } from "../../src/lib/pump.ts";

const PIECE = Buffer.alloc(65_536);

/** Always has more, up to so many pieces. */
function plenty(pieces: number): Readable {
  let left = pieces;
  return new Readable({
    highWaterMark: PIECE.length,
    read() {
      this.push(left-- > 0 ? PIECE : null);
    },
  });
}

test("a source that always has more leaves the others their turn, and loses nothing", async () => {
  const seen = { total: 0, thisTurn: 0, most: 0, done: false };
  const count = async (bytes: Uint8Array) => {
    seen.total += bytes.length;
    seen.thisTurn += bytes.length;
    seen.most = Math.max(seen.most, seen.thisTurn);
  };
  const pumped = pump(plenty(64), count).then(() => (seen.done = true));
  while (!seen.done) {
    seen.thisTurn = 0;
    await turn();
  }
  await pumped;
  assert.equal(seen.total, 64 * PIECE.length);
  assert.ok(seen.most <= 4 * PIECE.length, `${seen.most} bytes came in one turn`);
});

test("nothing more is read after a failure, in the next turn either", async () => {
  const source = plenty(1_000);
  await assert.rejects(
    pump(source, () => Promise.reject(new Error("no"))),
    /no/,
  );
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(source.isPaused(), true);
});

test("a source that somebody else has paused stays so", async () => {
  const source = plenty(1_000);
  let pieces = 0;
  const taken = pump(source, async () => {
    pieces += 1;
    if (pieces === 1) source.pause();
  });
  for (let i = 0; i < 5; i++) await turn();
  assert.equal(source.isPaused(), true);
  assert.equal(pieces, 1);
  source.resume();
  await taken;
  assert.equal(pieces, 1_000);
});
