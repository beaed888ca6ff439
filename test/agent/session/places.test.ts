/** Bounds hold for those too who come at the same moment, and what fails gives its place back. */

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { ADMIN, startDesk } from "../../support/desk.ts";
import { until } from "../../support/until.ts";

const AT_ONCE = 200;
/** Of 64 orders, and of as many connections, what one person gets. */
const SHARE = 48;

const { signal } = new AbortController();
const VISIT = { subject: { grant: ADMIN, revoked: signal }, remote: { address: "127.0.0.1", door: "test" }, signal };

/** What waits goes on, or fails, when the test says so. */
class Gate {
  readonly #wake: ((error?: Error) => void)[] = [];

  get waiting(): number {
    return this.#wake.length;
  }

  pass(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#wake.push((error) => (error ? reject(error) : resolve()));
    });
  }

  open(error?: Error): void {
    for (const wake of this.#wake.splice(0)) wake(error);
  }
}

async function codes(attempts: Promise<unknown>[]): Promise<Record<string, number>> {
  const all: Record<string, number> = {};
  for (const attempt of await Promise.allSettled(attempts)) {
    const code = attempt.status === "fulfilled" ? "done" : String(attempt.reason.code);
    all[code] = (all[code] ?? 0) + 1;
  }
  return all;
}

test("orders", async (t) => {
  const gate = new Gate();
  const desk = await startDesk({ control: () => gate.pass() });
  t.after(() => desk.close());
  const order = { kind: "restart" } as const;
  const many = (reference: string) =>
    Array.from({ length: AT_ONCE }, () => desk.sessions.control({ reference, order }, VISIT));
  assert.deepEqual(await codes(many("nobody")), { "not-found": SHARE, "too-many": AT_ONCE - SHARE });
  for (const failure of [new Error("no"), undefined]) {
    const attempts = codes(many("web"));
    await until("those that have a place", () => gate.waiting >= SHARE);
    gate.open(failure);
    assert.deepEqual(await attempts, { [failure ? "internal" : "done"]: SHARE, "too-many": AT_ONCE - SHARE });
  }
});

test("connections of a proxied port", async (t) => {
  const gate = new Gate();
  const desk = await startDesk({ dial: () => new PassThrough(), limits: { connections: 64 } });
  t.after(() => desk.close());
  const dial = desk.runtime.dial.bind(desk.runtime);
  t.mock.method(desk.runtime, "dial", (...asked: Parameters<typeof dial>) => gate.pass().then(() => dial(...asked)));
  const request = { header: { op: "proxy", container: "web" }, body: { port: 80 } } as const;
  const { opened } = await desk.sessions.open(request, VISIT);
  for (const failure of [new Error("no"), undefined]) {
    const attempts = codes(Array.from({ length: AT_ONCE }, () => desk.sessions.connect(opened)));
    await until("those that have a place", () => gate.waiting >= SHARE);
    gate.open(failure);
    assert.deepEqual(await attempts, { [failure ? "undefined" : "done"]: SHARE, "too-many": AT_ONCE - SHARE });
  }
  assert.equal(desk.sessions.traffic.connections, SHARE);
});
