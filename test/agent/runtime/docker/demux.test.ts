/** The demultiplexer of the engine's streams. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Demux, type DemuxStream } from "../../../../src/agent/runtime/docker/demux.ts";

interface Frame {
  type: number;
  payload: Uint8Array;
}

const NAMES: DemuxStream[] = ["stdout", "stdout", "stderr", "engine"];
const frames = fc.array(fc.record({ type: fc.integer({ min: 0, max: 3 }), payload: fc.uint8Array({ maxLength: 40 }) }));

test("any way of cutting a stream gives the same bytes, and every frame's end", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), (list, cuts) => {
      const bytes = Buffer.concat(list.map(encode));
      const seen = collect((demux) => {
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          demux.push(bytes.subarray(at, at + size));
          at += size;
        }
        demux.end();
      });
      const expected = list.filter((frame) => frame.payload.length > 0);
      assert.deepEqual(
        seen,
        expected.map(({ type, payload }) => [NAMES[type], Buffer.from(payload).toString("hex")]),
      );
    }),
  );
});

test("a million one-byte frames in one chunk neither overflow the stack nor take long", () => {
  const chunk = Buffer.concat(Array.from({ length: 1_000_000 }, () => encode({ type: 1, payload: Buffer.from("x") })));
  let count = 0;
  const demux = new Demux((_, bytes) => {
    count += bytes.length;
  });
  demux.push(chunk);
  demux.end();
  assert.equal(count, 1_000_000);
});

test("a frame that announces 4 GiB takes no memory and is delivered as it comes", () => {
  const header = Buffer.from([2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  const left: number[] = [];
  const demux = new Demux((_, bytes, rest) => left.push(bytes.length + rest));
  demux.push(header);
  demux.push(Buffer.alloc(1000));
  demux.push(Buffer.alloc(1000));
  assert.deepEqual(left, [0xffff_ffff, 0xffff_ffff - 1000]);
  assert.throws(() => demux.end(), /middle of a frame/);
});

test("a stream that ends in the middle of a header or a payload is an error", () => {
  const whole = encode({ type: 1, payload: Buffer.from("hello") });
  for (let length = 1; length < whole.length; length++) {
    const demux = new Demux(() => {});
    demux.push(whole.subarray(0, length));
    assert.throws(() => demux.end(), /middle of a frame/);
  }
});

test("a terminal's bytes, which have no headers, are an error", () => {
  for (const text of ["total 0\r\n", "\u0004\0\0\0\0\0\0\0", "\u0001\0\0\u0001\0\0\0\0", "\u0001x\0\0\0\0\0\0"]) {
    assert.throws(() => new Demux(() => {}).push(Buffer.from(text)), /bad frame header/);
  }
});

function encode({ type, payload }: Frame): Buffer {
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** [stream, payload in hex] of every frame. */
function collect(work: (demux: Demux) => void): [DemuxStream | undefined, string][] {
  const seen: [DemuxStream, string][] = [];
  let pending = "";
  work(
    new Demux((stream, bytes, left) => {
      pending += bytes.toString("hex");
      if (left > 0) return;
      seen.push([stream, pending]);
      pending = "";
    }),
  );
  return seen;
}
