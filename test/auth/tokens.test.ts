import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import { inspect } from "node:util";
import { newSecret } from "../../src/auth/secret.ts";
import { Tokens } from "../../src/auth/tokens.ts";
import { FairleadError } from "../../src/protocol/errors.ts";
import type { Grant } from "../../src/protocol/rights.ts";

const grant = (subject: string): Grant => ({ subject, rights: ["logs"], scopes: [] });

suite("tokens", () => {
  test("bring the grant they were configured with", () => {
    const [one, other] = [newSecret(), newSecret()];
    const tokens = new Tokens([
      { token: one, grant: grant("one") },
      { token: other, grant: grant("other") },
    ]);
    assert.equal(tokens.verify(one)?.grant.subject, "one");
    assert.equal(tokens.verify(other)?.grant.subject, "other");
  });

  test("are wrong when they differ in anything", () => {
    const token = newSecret();
    const tokens = new Tokens([{ token, grant: grant("one") }]);
    for (const wrong of ["", " ", token.slice(1), `${token} `, `${token}x`, token.toLowerCase(), newSecret()])
      assert.equal(tokens.verify(wrong), undefined, wrong);
    assert.equal(tokens.verify(token.repeat(1_000)), undefined, "a huge one");
  });

  test("can be configured by their SHA-256 alone", () => {
    const token = newSecret();
    const sha256 = createHash("sha256").update(token).digest("hex");
    assert.equal(new Tokens([{ sha256, grant: grant("one") }]).verify(token)?.grant.subject, "one");
    assert.throws(() => new Tokens([{ sha256: "", grant: grant("one") }]), /64 hexadecimal digits/);
  });

  test("that are empty, short or unsendable stop the start", () => {
    for (const token of ["", "   ", "short", "a".repeat(19)])
      assert.throws(() => new Tokens([{ token, grant: grant("ci") }]), /"ci" is shorter than 20/);
    for (const token of [`${"a".repeat(30)}\n`, "a b".repeat(10), "ä".repeat(30), "a".repeat(513)])
      assert.throws(() => new Tokens([{ token, grant: grant("ci") }]), /"ci" may only hold/);
  });

  test("cannot belong to two grants", () => {
    const token = newSecret();
    const twice = ["one", "two"].map((name) => ({ token, grant: grant(name) }));
    assert.throws(() => new Tokens(twice), /"two" is also somebody else's/);
  });

  test("that are withdrawn abort what their subject opened, and no one else's", () => {
    const [one, other] = [newSecret(), newSecret()];
    const tokens = new Tokens([
      { token: one, grant: grant("one") },
      { token: other, grant: grant("other") },
    ]);
    const subject = tokens.verify(one);
    assert.equal(tokens.revoke("one"), 1);
    assert.equal(subject?.revoked.aborted, true);
    assert.ok(subject?.revoked.reason instanceof FairleadError);
    assert.equal(tokens.verify(one), undefined);
    assert.equal(tokens.verify(other)?.revoked.aborted, false);
  });

  test("are not kept as they came", () => {
    const token = newSecret();
    const tokens = new Tokens([{ token, grant: grant("one") }]);
    assert.ok(!inspect(tokens, { depth: 9, showHidden: true }).includes(token));
  });
});
