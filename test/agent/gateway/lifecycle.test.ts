import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { AuditLine } from "../../../src/protocol/audit.ts";
import { type Order, RuntimeError } from "../../../src/agent/runtime/runtime.ts";
import { newSecret } from "../../../src/auth/secret.ts";
import { container } from "../../support/scripted-runtime.ts";
import { clocks } from "../../support/clocks.ts";
import { until } from "../../support/until.ts";
import { type Asking, bearer, code, type Front, json, startFront } from "../../support/front.ts";

const WEB = container({ name: "web", labels: { team: "blue" } });
const PATH = "/api/v1/containers/web";
const DAY = 86_400_000;

/** A front whose engine writes down what it is told. */
async function written(control: (order: Order, signal: AbortSignal) => Promise<void> = async () => {}) {
  const orders: Order[] = [];
  const front = await startFront({
    desk: {
      containers: [WEB],
      control: async (_id, order, signal) => {
        orders.push(order);
        await control(order, signal);
      },
    },
  });
  return Object.assign(front, { orders });
}

const ask = (front: Front, asking: Asking) => front.ask({ method: "POST", ...asking, headers: [bearer(front.admin)] });

/** What the audit says, without what is the same or another each time. */
function told({ desk }: Front): Partial<AuditLine>[] {
  return desk.audit.map(({ duration, ...line }) => {
    if (line.event === "end") assert.ok(duration !== undefined && duration >= 0);
    assert.deepEqual([line.subject, line.remote], ["local", "127.0.0.1 http"]);
    const { event, kind, options, outcome, containerName, reference } = line;
    return Object.fromEntries(
      Object.entries({ event, kind, options, outcome, containerName, reference }).filter(
        ([, value]) => value !== undefined,
      ),
    );
  });
}

suite("what is done to a container over HTTP", () => {
  test("reaches the engine with its options, and is answered with which container it was", async () => {
    await using front = await written();
    const asked: Asking[] = [
      { path: `${PATH}/start` },
      { path: `${PATH}/stop` },
      { path: `${PATH}/stop?timeout=0` },
      { path: `${PATH}/restart?timeout=3600` },
      { path: PATH, method: "DELETE" },
      { path: `${PATH}?force&volumes=true`, method: "DELETE" },
    ];
    for (const asking of asked) {
      const answer = await ask(front, asking);
      assert.deepEqual([answer.status, json(answer)], [200, { id: WEB.id, name: "web" }], asking.path);
    }
    assert.deepEqual(front.orders, [
      { kind: "start" },
      { kind: "stop" },
      { kind: "stop", timeout: 0 },
      { kind: "restart", timeout: 3600 },
      { kind: "remove", force: false, volumes: false },
      { kind: "remove", force: true, volumes: true },
    ]);
  });

  test("is refused before the engine hears of it when it is not as described", async () => {
    await using front = await written();
    const asked: Asking[] = [
      { path: `${PATH}/start?timeout=1` },
      { path: `${PATH}/stop?timeout=3601` },
      { path: `${PATH}/stop?timeout=-1` },
      { path: `${PATH}/stop?timeout=1&timeout=2` },
      { path: `${PATH}?force=yes`, method: "DELETE" },
    ];
    for (const asking of asked) assert.equal(code(await ask(front, asking)), "bad-request", asking.path);
    assert.deepEqual(front.orders, []);
  });

  test("has a line in the audit when it begins and one when it is over", async () => {
    await using front = await written(async ({ kind }) => {
      if (kind === "start") throw new RuntimeError("engine-error", "no such file");
    });
    await ask(front, { path: `${PATH}?force`, method: "DELETE" });
    assert.equal(code(await ask(front, { path: `${PATH}/start` })), "engine-error");
    await ask(front, { path: "/api/v1/containers/nobody/stop" });
    const facts = { containerName: "web" };
    assert.deepEqual(told(front), [
      { event: "open", kind: "remove", options: { force: true, volumes: false }, ...facts },
      { event: "end", kind: "remove", outcome: "done", ...facts },
      { event: "open", kind: "start", ...facts },
      { event: "end", kind: "start", outcome: "engine-error", ...facts },
      { event: "refuse", kind: "stop", outcome: "not-found", reference: "nobody" },
    ]);
  });

  test("is told to have taken as long as it did, however the clock is set meanwhile", async (t) => {
    const { jump } = clocks(t);
    const steps = [-DAY, DAY];
    await using front = await written(async () => jump(steps.shift() ?? 0));
    for (const verb of ["stop", "start"]) await ask(front, { path: `${PATH}/${verb}` });
    const durations = front.desk.audit.flatMap(({ duration }) => duration ?? []);
    assert.ok(durations.length === 2 && durations.every((ms) => ms >= 0 && ms < DAY / 2), durations.join());
    assert.ok(durations.every(Number.isInteger));
  });

  test("goes on without the client that asked for it, and the agent waits for it before it ends", async () => {
    let finish: () => void = () => {};
    await using front = await written(() => new Promise((resolve) => (finish = resolve)));
    const gone = new AbortController();
    const asked = fetch(`${front.url}${PATH}/stop`, {
      method: "POST",
      headers: { authorization: `Bearer ${front.admin}` },
      signal: gone.signal,
    }).catch(() => undefined);
    await until("the order", () => front.orders.length === 1);
    gone.abort();
    await asked;
    let drained = false;
    front.desk.sessions.farewell(0);
    const draining = front.desk.sessions.drain(new AbortController().signal).then(() => (drained = true));
    assert.deepEqual([drained, told(front).length], [false, 1]);
    finish();
    await draining;
    assert.deepEqual(told(front).at(-1)?.outcome, "done");
    assert.equal(code(await ask(front, { path: `${PATH}/stop` })), "shutting-down");
  });

  test("tells what to do about a container that cannot be removed because it runs", async () => {
    await using front = await written(async () => {
      throw new RuntimeError("conflict", "You cannot remove a running container");
    });
    const answer = await ask(front, { path: PATH, method: "DELETE" });
    assert.deepEqual([answer.status, code(answer)], [409, "conflict"]);
    assert.match(String(json(answer)["detail"]), /"web" is running; stop it first, or remove it by force/);
  });

  test("of more than so many at a time waits for the others, and nobody takes all places", async () => {
    const finish: (() => void)[] = [];
    const token = newSecret();
    await using front = await startFront({
      tokens: [{ token, grant: { subject: "other", rights: ["lifecycle"], scopes: [] } }],
      desk: { containers: [WEB], control: () => new Promise((resolve) => void finish.push(resolve)) },
    });
    const path = `${PATH}/stop`;
    const many = Array.from({ length: 48 }, () => ask(front, { path }));
    await until("all of them", () => finish.length === 48);
    assert.equal(code(await ask(front, { path })), "too-many");
    const one = front.ask({ method: "POST", path, headers: [bearer(token)] });
    await until("somebody else's", () => finish.length === 49);
    for (const each of finish) each();
    for (const { status } of await Promise.all([...many, one])) assert.equal(status, 200);
  });

  test("is only for those whose grant reaches the container", async () => {
    const token = newSecret();
    const grant = { subject: "red", rights: ["lifecycle"], scopes: [{ team: "red" }] } as const;
    const orders: Order[] = [];
    await using front = await startFront({
      tokens: [{ token, grant }],
      desk: { containers: [WEB], control: async (_id, order) => void orders.push(order) },
    });
    const answer = await front.ask({ method: "POST", path: `${PATH}/stop`, headers: [bearer(token)] });
    assert.deepEqual([answer.status, orders], [404, []]);
  });
});
