/** The reader of the container list's stream. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { readNdjson } from "../../src/protocol/ndjson.ts";

async function read(chunks: Uint8Array[]): Promise<unknown[]> {
  async function* stream() {
    yield* chunks;
  }
  const values: unknown[] = [];
  for await (const value of readNdjson(stream())) values.push(value);
  return values;
}

/** The bytes cut at these places, whatever they hit. */
function cut(bytes: Uint8Array, places: number[]): Uint8Array[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, index) => bytes.slice(at[index], end));
}

test("values come out whole wherever the stream is cut, also inside a character", async () => {
  const values = fc.array(fc.record({ name: fc.string({ unit: "binary" }), n: fc.integer() }));
  await fc.assert(
    fc.asyncProperty(values, fc.array(fc.nat()), async (values, places) => {
      const bytes = new TextEncoder().encode(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
      assert.deepEqual(await read(cut(bytes, places)), JSON.parse(JSON.stringify(values)));
    }),
  );
});

test("blank lines are signs of life and nothing else, and an unfinished line at the end is not a value", async () => {
  assert.deepEqual(await read([new TextEncoder().encode('\n\n{"a":1}\n\n{"b":')]), [{ a: 1 }]);
});

test("what is not JSON is a protocol error without the text in it", async () => {
  await assert.rejects(read([new TextEncoder().encode("<html>\n")]), { code: "protocol-error", message: /not JSON/ });
});

test("a line without an end is given up", async () => {
  const megabyte = new Uint8Array(1024 * 1024).fill(0x20);
  await assert.rejects(read(Array.from({ length: 17 }, () => megabyte)), { code: "protocol-error", message: /end/ });
});
