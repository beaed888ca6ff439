/** What is told of input that does not fit. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { parseInput } from "../../src/door/input.ts";
import { TokenRequest } from "../../src/protocol/login.ts";
import { AuditQuery, LogsQuery } from "../../src/protocol/query.ts";

const told = (schema: z.core.$ZodType, value: unknown, words: string) =>
  assert.throws(() => parseInput(schema, value), {
    code: "bad-request",
    message: `The request is not as described: see ${words}.`,
  });

test("each part that does not fit is named, once, and what it must be where the schema has words for it", () => {
  told(AuditQuery, { tail: "1001" }, "tail, which must be a whole number, at most 1000");
  told(
    LogsQuery,
    { tail: "many", follow: "perhaps" },
    "follow, which must be true, false, 1, 0 or nothing; tail, which must be a whole number below ten million, or all",
  );
  told(
    TokenRequest,
    { name: "at night", rights: [], lifetime: 0.5 },
    "name, which must be letters, digits and ._@- (at most 100, a letter or digit first); rights, which must name at least one; lifetime",
  );
  told(z.object({}), 7, "the whole");
});

test("the value itself is not told, nor the name of a part that nobody knows", () => {
  told(z.strictObject({}), { s3cret: 1 }, "the whole, which has a part that is not known");
  told(z.enum(["a"]), "s3cret", "the whole");
  told(z.string().check(z.refine(() => false)), "s3cret", "the whole");
});
