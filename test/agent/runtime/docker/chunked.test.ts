/** The decoder of HTTP's chunked coding. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Chunked } from "../../../../src/agent/runtime/docker/chunked.ts";

test("any way of cutting the coded bytes gives the same payload", () => {
  const pieces = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }));
  const endings = fc.constantFrom("0\r\n\r\n", "000;x=y\r\nTrailer: 1\r\n\r\n");
  fc.assert(
    fc.property(pieces, endings, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (list, ending, cuts) => {
      const coded = Buffer.concat([...list.map(encode), Buffer.from(ending)]);
      const chunked = new Chunked();
      const found: Buffer[] = [];
      for (let at = 0, turn = 0; at < coded.length; turn++) {
        assert.equal(chunked.done, false);
        const size = cuts[turn % cuts.length] ?? 1;
        found.push(chunked.push(coded.subarray(at, at + size)));
        at += size;
      }
      assert.equal(chunked.done, true);
      assert.deepEqual(Buffer.concat(found), Buffer.concat(list));
    }),
  );
});

test("what is not chunked coding is an error", () => {
  for (const text of ["hello\r\n", "-1\r\n", "\r\n", "123456789\r\n", "1\r\nab\r\n", "x".repeat(5000)]) {
    assert.throws(() => new Chunked().push(Buffer.from(text)), /chunked coding/);
  }
});

function encode(payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`${payload.length.toString(16)}\r\n`), payload, Buffer.from("\r\n")]);
}
