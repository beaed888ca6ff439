import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { inspect } from "node:util";
import type { Subject } from "../../src/auth/grant.ts";
import { Pages } from "../../src/auth/pages.ts";
import { clocks } from "../support/clocks.ts";

const HOUR = 3_600_000;

function desk() {
  let now = 1_000_000;
  const pages = new Pages(() => now);
  const revocation = new AbortController();
  const issuer: Subject = {
    grant: { subject: "local", rights: ["exec"], scopes: [{ a: "" }] },
    revoked: revocation.signal,
  };
  return { pages, issuer, revoke: () => revocation.abort(), pass: (ms: number) => void (now += ms) };
}

suite("a signed-in page", () => {
  test("has its issuer's rights under a name of its own", () => {
    const { pages, issuer } = desk();
    const { page } = pages.open(issuer);
    assert.deepEqual(page.subject.grant, { ...issuer.grant, subject: `page:${page.id}` });
  });

  test("needs both halves of its proof", () => {
    const { pages, issuer } = desk();
    const [one, other] = [pages.open(issuer), pages.open(issuer)];
    assert.equal(pages.verify(one.cookie, one.secret), one.page);
    assert.equal(pages.verify(one.cookie, other.secret), undefined);
    assert.equal(pages.verify(other.cookie, one.secret), undefined);
    assert.equal(pages.verify(one.cookie, ""), undefined);
    assert.equal(pages.verify("", one.secret), undefined);
    assert.equal(pages.verify(one.secret, one.cookie), undefined);
  });

  test("ends what it opened when it signs out, and nobody else", () => {
    const { pages, issuer } = desk();
    const [one, other] = [pages.open(issuer), pages.open(issuer)];
    pages.close(one.page.id);
    assert.equal(one.page.subject.revoked.aborted, true);
    assert.equal(pages.verify(one.cookie, one.secret), undefined);
    assert.equal(pages.verify(other.cookie, other.secret), other.page);
  });

  test("ends with the access of whoever issued its code", () => {
    const { pages, issuer, revoke } = desk();
    const { page, cookie } = pages.open(issuer);
    revoke();
    assert.equal(page.subject.revoked.aborted, true);
    assert.equal(pages.find(cookie), undefined);
  });

  test("ends after twelve hours without use", () => {
    const { pages, issuer, pass } = desk();
    const { page, cookie, secret } = pages.open(issuer);
    pass(11 * HOUR);
    assert.ok(pages.verify(cookie, secret));
    pass(11 * HOUR);
    assert.ok(pages.verify(cookie, secret));
    pass(12 * HOUR);
    assert.equal(pages.verify(cookie, secret), undefined);
    assert.equal(page.subject.revoked.aborted, true);
  });

  test("is in use while something of it is alive", () => {
    const { pages, issuer, pass } = desk();
    const { page, cookie, secret } = pages.open(issuer);
    const release = page.hold();
    pass(24 * HOUR);
    pages.sweep();
    assert.equal(page.subject.revoked.aborted, false);
    release();
    release();
    assert.ok(pages.verify(cookie, secret), "letting go counts as use");
    pass(12 * HOUR);
    pages.sweep();
    assert.equal(page.subject.revoked.aborted, true);
  });

  test("ends after a week whatever it does", () => {
    const { pages, issuer, pass } = desk();
    const { page } = pages.open(issuer);
    page.hold();
    pass(7 * 24 * HOUR);
    pages.sweep();
    assert.equal(page.subject.revoked.aborted, true);
  });

  test("is signed out neither sooner nor later because the clock is set, or the machine sleeps", (t) => {
    const { jump, suspend } = clocks(t);
    const { issuer } = desk();
    const pages = new Pages();
    t.after(() => pages.closeAll());
    for (const ms of [8 * 24 * HOUR, -8 * 24 * HOUR]) {
      const { page, cookie, secret } = pages.open(issuer);
      jump(ms);
      pages.sweep();
      assert.equal(page.subject.revoked.aborted, false);
      assert.equal(pages.verify(cookie, secret), page);
      suspend(12 * HOUR);
      pages.sweep();
      assert.equal(page.subject.revoked.aborted, true);
    }
  });

  test("is refused to the one who opens the 257th", () => {
    const { pages, issuer } = desk();
    for (let i = 0; i < 256; i++) pages.open(issuer);
    assert.throws(() => pages.open(issuer), { code: "too-many" });
  });

  test("leaves neither half in memory", () => {
    const { pages, issuer } = desk();
    const { cookie, secret } = pages.open(issuer);
    const memory = inspect(pages, { depth: 9, showHidden: true });
    assert.ok(!memory.includes(cookie) && !memory.includes(secret));
  });

  test("is signed out when the agent stops", () => {
    const { pages, issuer } = desk();
    const { page } = pages.open(issuer);
    pages.closeAll();
    pages.closeAll();
    assert.equal(page.subject.revoked.aborted, true);
  });
});
