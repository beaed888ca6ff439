/** A list read item by item, wherever its bytes are cut. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type JsonItem, jsonItems } from "../../../../src/agent/runtime/docker/json-items.ts";

const MAX = 1_000;

async function read(text: string, pieces: number[] = []): Promise<JsonItem[]> {
  const bytes = Buffer.from(text);
  const cuts = [0, ...pieces.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  async function* body() {
    // As a connection gives them: what is in there after the next one was asked for is another's.
    for (let i = 1; i < cuts.length; i++) {
      const lent = Buffer.from(bytes.subarray(cuts[i - 1], cuts[i]));
      yield lent;
      lent.fill("?");
    }
  }
  const items: JsonItem[] = [];
  for await (const item of jsonItems(body(), MAX)) items.push(item);
  return items;
}

test("any list is read as JSON.parse does it", () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.jsonValue(), { maxLength: 8 }),
      fc.constantFrom(undefined, 2),
      fc.array(fc.nat()),
      async (list, indent, cuts) => {
        const text = ` ${JSON.stringify(list, undefined, indent)}\n`;
        const values = (await read(text, cuts)).map((item) => item.value);
        const short = (value: unknown) => JSON.stringify(value, undefined, indent).length < MAX / 4;
        fc.pre(list.every(short));
        assert.deepEqual(values, JSON.parse(text));
      },
    ),
  ));

test("an item that is too long, or no JSON, is told by its beginning, and the others are whole", async () => {
  const long = { id: "long", brackets: '[{"\\' + "x]".repeat(MAX) };
  const items = await read(`[{"id":1},${JSON.stringify(long)},{id:2},{"id":3}]`, [3, 50, 900, 1_100, 1_900]);
  assert.deepEqual(
    items.map(({ value }) => value),
    [{ id: 1 }, undefined, undefined, { id: 3 }],
  );
  assert.match(items[1]?.text ?? "", /^\{"id":"long"/);
  assert.ok((items[1]?.text.length ?? MAX) < MAX / 2);
  assert.equal(items[1]?.size, JSON.stringify(long).length);
  assert.equal(items[2]?.text, "{id:2}");
});

test("the bound holds to the byte", async () => {
  const [fits, exceeds] = await read(`["${"x".repeat(MAX - 2)}","${"x".repeat(MAX - 1)}"]`, [500, 1_500]);
  assert.deepEqual([fits?.size, typeof fits?.value], [MAX, "string"]);
  assert.deepEqual([exceeds?.size, exceeds?.value], [MAX + 1, undefined]);
});
