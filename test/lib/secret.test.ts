/** However a secret is printed, its text does not appear. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { format, inspect } from "node:util";
import { Secret } from "../../src/lib/secret.ts";

const CANARY = "canary-5f1c2a";

test("every way of printing a secret gives stars", () => {
  const secret = new Secret(CANARY);
  const holder = { deep: { secret, list: [secret] }, map: new Map([["key", secret]]) };
  const printed = [
    String(secret),
    JSON.stringify(holder),
    inspect(holder, { depth: 9, showHidden: true }),
    format("%s %o %O %j", secret, secret, holder, secret),
    JSON.stringify(structuredClone(Object.assign({}, secret))),
    Object.entries(secret).join(),
    String(new Error("wrong", { cause: secret }).cause),
  ];
  for (const text of printed) assert.ok(!text.includes(CANARY), text);
  assert.equal(JSON.stringify({ secret }), '{"secret":"***"}');
});

test("a secret gives its text to whoever asks for it by name", () => {
  assert.equal(new Secret(CANARY).reveal(), CANARY);
});
