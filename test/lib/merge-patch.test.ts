/** Patches of documents: what RFC 7396 gives as examples, and that a patch leads from any document to any other. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assert as check,
  dictionary,
  letrec,
  oneof,
  property,
  array,
  boolean,
  constantFrom,
  integer,
  string,
} from "fast-check";
import { patched, patchOf } from "../../src/lib/merge-patch.ts";

test("a patch changes, adds and removes members, as the examples of RFC 7396 say", () => {
  const table: [unknown, unknown, unknown][] = [
    [{ a: "b" }, { a: "c" }, { a: "c" }],
    [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
    [{ a: "b" }, { a: null }, {}],
    [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
    [{ a: ["b"] }, { a: "c" }, { a: "c" }],
    [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
    [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
    [
      ["a", "b"],
      ["c", "d"],
      ["c", "d"],
    ],
    [{ a: "b" }, ["c"], ["c"]],
    [{ a: "foo" }, "bar", "bar"],
    [[1, 2], { a: "b", c: null }, { a: "b" }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ];
  for (const [before, patch, after] of table) assert.deepEqual(patched(before, patch), after);
});

test("a patch says no more than what is different, and what it does not name stays the very same", () => {
  const before = { facts: { name: "box" }, beat: { cpu: 1, memory: 2, gpus: [1] }, late: true };
  const after = { facts: { name: "box" }, beat: { cpu: 3, memory: 2, gpus: [1, 2] } };
  const patch = patchOf(before, after);
  assert.deepEqual(patch, { late: null, beat: { cpu: 3, gpus: [1, 2] } });
  assert.equal((patched(before, patch) as typeof after).facts, before.facts);
  assert.equal(patchOf(after, structuredClone(after)), undefined);
});

test("the patch of two documents leads from one to the other, whatever their members are called", () => {
  const name = oneof(string(), constantFrom("constructor", "__proto__", "toString"));
  const { document } = letrec((tie) => ({
    value: oneof({ maxDepth: 3 }, integer(), string(), boolean(), array(integer()), tie("document")),
    document: dictionary(name, tie("value"), { noNullPrototype: true, maxKeys: 4 }),
  }));
  check(
    property(document, document, (before, after) => {
      const patch: unknown = JSON.parse(JSON.stringify(patchOf(before, after) ?? {}));
      assert.deepEqual(patched(before, patch), after);
    }),
  );
});
