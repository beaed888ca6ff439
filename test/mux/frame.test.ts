/** The codec against a naive one, and against everything that is not a frame. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { MuxError } from "../../src/mux/errors.ts";
import { decodeFrame, encodeFrame, type Frame, HEADER_BYTES, stampData } from "../../src/mux/frame.ts";
import { naiveDecode } from "./naive.ts";

const channel = fc.integer({ min: 1, max: 0xffff_ffff });
const offset = fc.maxSafeNat();
const bytes = (max: number) => fc.uint8Array({ minLength: 1, maxLength: max });
const count = fc.integer({ min: 1, max: 2 ** 31 });
/** As much as survives a trip through UTF-8. */
const words = fc.string({ maxLength: 200, unit: "grapheme" }).filter((it) => !it.startsWith("\uFEFF"));

const goAway = fc.record({ code: count, reason: words, deadline: fc.nat() });

const frames: fc.Arbitrary<Exclude<Frame, { type: "skipped" }>> = fc.oneof(
  fc.record({ type: fc.constant("data" as const), channel, message: bytes(3_000) }),
  fc.record({ type: fc.constant("reply" as const), channel, message: bytes(3_000) }),
  fc.record({ type: fc.constant("open" as const), channel, header: bytes(500), body: bytes(500) }),
  fc.record({ type: fc.constantFrom("credit" as const, "ack" as const), channel, offset }),
  fc.record({ type: fc.constantFrom("ping" as const, "pong" as const), stamp: offset }),
  fc.record({ type: fc.constant("close" as const), channel, code: fc.integer({ min: 0, max: 65_535 }), reason: words }),
  fc.record({
    type: fc.constant("hello" as const),
    hello: fc.record({ version: fc.constant(3), min: fc.constant(2), channels: count, software: words }),
  }),
  fc.record({ type: fc.constant("goAway" as const), goAway }),
  fc.record({ type: fc.constant("farewell" as const), channel, goAway }),
);

const plain = (frame: Frame | undefined) => JSON.parse(JSON.stringify(frame ?? null)) as unknown;

test("every frame comes back as it went, and the naive codec reads the same", () => {
  fc.assert(
    fc.property(frames, (frame) => {
      const wire = encodeFrame(frame);
      assert.deepEqual(plain(decodeFrame(wire)), plain(frame));
      assert.deepEqual(plain(naiveDecode([...wire])), plain(frame));
    }),
    { numRuns: 3_000 },
  );
});

test("any bytes give what the naive codec gives, or a violation", () => {
  const type = fc.oneof(fc.integer({ min: 0, max: 10 }), fc.integer({ min: 0, max: 255 }));
  const anything = fc.tuple(type, fc.oneof(fc.constant(0), fc.nat(300)), fc.uint8Array({ maxLength: 60 }));
  fc.assert(
    fc.property(anything, ([first, id, rest]) => same(Uint8Array.of(first, 0, 0, id >> 8, id & 255, ...rest))),
    { numRuns: 20_000 },
  );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), same), { numRuns: 5_000 });
});

test("a valid frame with one byte changed or cut off is read as the naive codec reads it", () => {
  fc.assert(
    fc.property(frames, fc.nat(), fc.integer({ min: 0, max: 255 }), (frame, where, value) => {
      const wire = encodeFrame(frame);
      const changed = wire.slice();
      changed[where % wire.length] = value;
      same(changed);
      same(wire.slice(0, where % wire.length));
    }),
    { numRuns: 3_000 },
  );
});

test("sizes are held exactly", () => {
  const data = (length: number) => encodeFrame({ type: "data", channel: 1, message: new Uint8Array(length) });
  assert.equal(decodeFrame(data(131_072)).type, "data");
  assert.throws(() => decodeFrame(data(131_073)), MuxError);
  assert.throws(() => decodeFrame(data(0)), MuxError);
  const reply = (length: number) => encodeFrame({ type: "reply", channel: 1, message: new Uint8Array(length) });
  assert.equal(decodeFrame(reply(262_144)).type, "reply");
  assert.throws(() => decodeFrame(reply(262_145)), MuxError);
});

test("an open frame whose header claims to be longer than the frame is refused and nothing is allocated", () => {
  assert.throws(() => decodeFrame(Uint8Array.of(1, 0, 0, 0, 1, 255, 255, 255, 255, 1, 2)), /malformed open/);
});

test("a time beyond all numbers is refused: whoever heard it passed on would take it for malformed", () => {
  const words = new TextEncoder().encode('{"code":1001,"reason":"","deadline":1e999}');
  const [goAway, farewell] = [Uint8Array.of(0x09, 0, 0, 0, 0, ...words), Uint8Array.of(0x8a, 0, 0, 0, 1, ...words)];
  for (const wire of [goAway, farewell]) assert.throws(() => decodeFrame(wire), /malformed go-away/);
});

test("a message with room in front becomes a frame without a copy", () => {
  const frame = new Uint8Array(HEADER_BYTES + 3);
  frame.set([7, 8, 9], HEADER_BYTES);
  assert.equal(stampData(frame, 0x01020304), frame);
  assert.deepEqual(decodeFrame(frame), { type: "data", channel: 0x01020304, message: Uint8Array.of(7, 8, 9) });
});

function same(wire: Uint8Array): void {
  const expected = naiveDecode([...wire]);
  if (expected) assert.deepEqual(plain(decodeFrame(wire)), plain(expected));
  else assert.throws(() => decodeFrame(wire), MuxError);
}
