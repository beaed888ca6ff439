/** Cutting the engine's log stream into entries. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { logParser } from "../../../../src/agent/runtime/docker/log-lines.ts";

const STAMP = "2026-11-21T04:03:04.390724094Z";
const NEXT = "2026-11-21T04:03:05.000000000+01:00";
const PART = 16 * 1024;
const MIB = 1024 * 1024;

const cuts = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 5 });

test("frames are entries, however the stream is cut", () => {
  const line = fc.record({ type: fc.constantFrom(1, 2), bytes: fc.uint8Array({ maxLength: 60 }) });
  fc.assert(
    fc.property(fc.array(line), cuts, (lines, sizes) => {
      const bytes = Buffer.concat(lines.map((item) => frame(item.type, item.bytes)));
      const expected = lines.map((item) => [
        item.type === 1 ? "stdout" : "stderr",
        STAMP,
        Buffer.from(item.bytes).toString("hex"),
      ]);
      assert.deepEqual(parse(false, bytes, sizes), expected);
    }),
  );
});

test("a terminal's lines are entries, however the stream is cut", () => {
  const line = fc.stringMatching(/^[a-z ]{0,60}$/);
  fc.assert(
    fc.property(fc.array(line), cuts, (lines, sizes) => {
      const bytes = Buffer.from(lines.map((text) => `${STAMP} ${text}\r\n`).join(""));
      const expected = lines.map((text) => ["stdout", STAMP, Buffer.from(`${text}\r\n`).toString("hex")]);
      assert.deepEqual(parse(true, bytes, sizes), expected);
    }),
  );
});

test("the parts of a terminal's long line are told apart wherever the stream is cut", () => {
  const parts = ["x".repeat(PART), "y".repeat(PART), "z\n"];
  const bytes = Buffer.from(`${parts.map((part) => `${STAMP} ${part}`).join("")}${NEXT} next\n`);
  const expected = [...parts.map((part) => [STAMP, part]), [NEXT, "next\n"]];
  for (const size of [1, 7, 1000, PART, PART + 31, PART + 32, bytes.length]) {
    const seen = parse(true, bytes, [size]).map(([, time, hex]) => [time, Buffer.from(hex ?? "", "hex").toString()]);
    assert.deepEqual(seen, expected);
  }
});

test("a line without an end is cut at the same places each time", () => {
  const long = Buffer.alloc(2 * MIB + 10, "x");
  for (const [tty, bytes] of [
    [false, frame(1, long)],
    [true, Buffer.concat([Buffer.from(`${STAMP} `), long, Buffer.from("\n")])],
  ] as const) {
    const lengths = [100_000, 128 * 1024].map((size) =>
      parse(tty, bytes, [size]).map(([, , hex]) => (hex ?? "").length / 2),
    );
    assert.deepEqual(lengths[0], lengths[1]);
    assert.ok(lengths[0]?.every((length) => length <= MIB));
    assert.equal(
      lengths[0]?.reduce((sum, length) => sum + length),
      long.length + (tty ? 1 : 0),
    );
  }
});

test("what a terminal left without a newline comes at the end", () => {
  assert.deepEqual(parse(true, Buffer.from(`${STAMP} prompt>`), [3]), [
    ["stdout", STAMP, Buffer.from("prompt>").toString("hex")],
  ]);
});

test("a line without a stamp and an engine that fails in the middle are errors with words", () => {
  assert.throws(
    () => parse(true, Buffer.from("no stamp here, but a long text that goes on and on and on and on and on\n"), [10]),
    {
      code: "engine-error",
    },
  );
  assert.throws(() => parse(false, rawFrame(3, Buffer.from("the log file is broken")), [100]), {
    code: "engine-error",
    message: "the log file is broken",
  });
});

function frame(type: number, line: Uint8Array): Buffer {
  return rawFrame(type, Buffer.concat([Buffer.from(`${STAMP} `), line]));
}

function rawFrame(type: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = type;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

/** [stream, time, bytes in hex] of each entry. */
function parse(tty: boolean, bytes: Buffer, sizes: number[]): string[][] {
  const parser = logParser(!tty);
  const entries = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    entries.push(...parser.push(bytes.subarray(at, at + size)));
    at += size;
  }
  entries.push(...parser.end());
  return entries.map(({ stream, time, bytes: line }) => [stream, time, Buffer.from(line).toString("hex")]);
}
