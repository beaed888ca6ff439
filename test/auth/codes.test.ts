import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { codeKey, Codes, newCode } from "../../src/auth/codes.ts";
import type { Subject } from "../../src/auth/grant.ts";
import { clocks } from "../support/clocks.ts";

function desk() {
  let now = 1_000_000;
  const codes = new Codes(() => now);
  const revocation = new AbortController();
  const issuer: Subject = { grant: { subject: "local", rights: ["admin"], scopes: [] }, revoked: revocation.signal };
  return { codes, issuer, revoke: () => revocation.abort(), pass: (ms: number) => void (now += ms) };
}

suite("a sign-in code", () => {
  test("is short, readable, and different each time", () => {
    const { codes, issuer } = desk();
    const { code } = codes.issue(issuer);
    assert.match(code, /^[2-9A-HJKMNP-TV-Z]{4}(-[2-9A-HJKMNP-TV-Z]{4}){2}$/);
    assert.notEqual(codes.issue(issuer).code, code);
  });

  test("tells who issued it, once", () => {
    const { codes, issuer } = desk();
    const { code } = codes.issue(issuer);
    assert.equal(codes.redeem(code), issuer);
    assert.equal(codes.redeem(code), undefined);
  });

  test("may be typed in small letters, with spaces or without dashes", () => {
    const { codes, issuer } = desk();
    const ways = [(code: string) => code.toLowerCase(), (code: string) => ` ${code.replaceAll("-", " ")} `];
    for (const typed of [...ways, (code: string) => code.replaceAll("-", "")])
      assert.equal(codes.redeem(typed(codes.issue(issuer).code)), issuer);
  });

  test("lives 15 minutes", () => {
    const { codes, issuer, pass } = desk();
    const [early, late] = [codes.issue(issuer), codes.issue(issuer)];
    pass(15 * 60_000 - 1);
    assert.equal(codes.redeem(early.code), issuer);
    pass(1);
    assert.equal(codes.redeem(late.code), undefined);
  });

  test("lives as long however the clock is set, awake or asleep, and tells its end on the clock as it is", (t) => {
    const { jump, suspend } = clocks(t);
    const { issuer } = desk();
    const codes = new Codes();
    for (const ms of [-86_400_000, 86_400_000]) {
      const [early, late] = [codes.issue(issuer), codes.issue(issuer)];
      const left = late.expires - Date.now();
      assert.ok(left > 0 && left <= 15 * 60_000, `${left} ms`);
      jump(ms);
      assert.equal(codes.redeem(early.code), issuer);
      suspend(15 * 60_000);
      assert.equal(codes.redeem(late.code), undefined);
    }
  });

  test("that was made elsewhere lives for what it has left, and never for longer than others", (t) => {
    const { pass } = clocks(t);
    const { issuer } = desk();
    const codes = new Codes();
    const [short, long, over] = [newCode(), newCode(), newCode()];
    codes.admit(codeKey(short), { issuer, lifetime: 60_000 });
    codes.admit(codeKey(long), { issuer, lifetime: 86_400_000 });
    codes.admit(codeKey(over), { issuer, lifetime: 0 });
    assert.equal(codes.redeem(over), undefined);
    pass(60_000);
    assert.equal(codes.redeem(short), undefined);
    pass(14 * 60_000);
    assert.equal(codes.redeem(long), undefined);
  });

  test("ends with the access of its issuer", () => {
    const { codes, issuer, revoke } = desk();
    const { code } = codes.issue(issuer);
    revoke();
    assert.equal(codes.redeem(code), undefined);
  });

  test("is nothing empty and nothing long", () => {
    const { codes, issuer } = desk();
    codes.issue(issuer);
    for (const typed of ["", "-", "----", "A".repeat(1_000_000)]) assert.equal(codes.redeem(typed), undefined);
  });

  test("is refused to the one who asks for the seventeenth", () => {
    const { codes, issuer } = desk();
    for (let i = 0; i < 16; i++) codes.issue(issuer);
    assert.throws(() => codes.issue(issuer), { code: "too-many" });
  });
});
