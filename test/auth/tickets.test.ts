import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { Tickets } from "../../src/auth/tickets.ts";
import { clocks } from "../support/clocks.ts";

const ORIGIN = "http://localhost:9090";

function subject() {
  const revocation = new AbortController();
  const grant = { subject: "page:1", rights: ["exec" as const], scopes: [] };
  return { subject: { grant, revoked: revocation.signal }, revoke: () => revocation.abort() };
}

function desk() {
  let now = 1_000_000;
  const tickets = new Tickets(() => now);
  const holder = { subject: subject().subject, origin: ORIGIN, page: "1" };
  return { tickets, holder, issue: () => tickets.issue(holder), pass: (ms: number) => void (now += ms) };
}

const OWN = { origin: ORIGIN, page: "1" };

suite("a ticket", () => {
  test("opens one door, once", () => {
    const { tickets, holder, issue } = desk();
    const ticket = issue();
    assert.equal(tickets.redeem(ticket, OWN), holder);
    assert.equal(tickets.redeem(ticket, OWN), undefined);
  });

  test("holds 256 random bits and fits a subprotocol", () => {
    const { issue } = desk();
    assert.match(issue(), /^[A-Za-z0-9_-]{43}$/);
    assert.notEqual(issue(), issue());
  });

  test("lives 30 seconds", () => {
    const { tickets, issue, pass } = desk();
    const [early, late] = [issue(), issue()];
    pass(29_999);
    assert.ok(tickets.redeem(early, OWN));
    pass(1);
    assert.equal(tickets.redeem(late, OWN), undefined);
  });

  test("lives as long however the clock is set, awake or asleep", (t) => {
    const { jump, suspend } = clocks(t);
    const { holder } = desk();
    const tickets = new Tickets();
    for (const ms of [-86_400_000, 86_400_000]) {
      const [early, late] = [tickets.issue(holder), tickets.issue(holder)];
      jump(ms);
      assert.equal(tickets.redeem(early, OWN), holder);
      suspend(30_000);
      assert.equal(tickets.redeem(late, OWN), undefined);
    }
  });

  test("is of no use to another origin or page, and is spent by the attempt", () => {
    const { tickets, issue } = desk();
    const strangers = [
      { ...OWN, origin: "http://localhost:8080" },
      { ...OWN, origin: undefined },
      { ...OWN, page: "2" },
    ];
    for (const stranger of [...strangers, { ...OWN, page: undefined }]) {
      const ticket = issue();
      assert.equal(tickets.redeem(ticket, stranger), undefined);
      assert.equal(tickets.redeem(ticket, OWN), undefined);
    }
  });

  test("ends with the access of its holder", () => {
    const { tickets } = desk();
    const { subject: holder, revoke } = subject();
    const ticket = tickets.issue({ subject: holder, origin: ORIGIN });
    revoke();
    assert.equal(tickets.redeem(ticket, OWN), undefined);
  });

  test("is refused to who has three quarters of a thousand, until the first have expired, and not to others", () => {
    const { tickets, issue, pass } = desk();
    for (let i = 0; i < 750; i++) issue();
    assert.throws(issue, { code: "too-many" });
    const grant = { subject: "page:2", rights: ["exec" as const], scopes: [] };
    assert.ok(tickets.issue({ subject: { grant, revoked: new AbortController().signal }, origin: ORIGIN }));
    pass(30_000);
    assert.ok(issue());
  });
});
