/** What is left of a session when its client is done with it, or does not come back. */

import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test } from "node:test";
import { startDesk } from "../../support/desk.ts";
import type { Script } from "../../support/scripted-runtime.ts";
import { until } from "../../support/until.ts";

const untilClosed = async (script: Script) => {
  await new Promise((resolve) => script.closed.addEventListener("abort", resolve, { once: true }));
  return { unknown: "ended" };
};
const body = { command: ["x"], tty: true, stdin: true };

test("a session that was resumed once is gone as soon as its client closes it", async (t) => {
  const desk = await startDesk({ exec: untilClosed });
  t.after(() => desk.close());
  const client = desk.client();
  const session = await client.exec("web", body);
  client.pairs[0]?.cut();
  await until("the resume in the audit", () => desk.audit.some(({ event }) => event === "resume"));
  await session.close();
  await until("no session any more", () => Object.keys(desk.sessions.counts()).length === 0);
  await client.close();
});

test("a session is gone when its grace ends, together with what could not be delivered", async (t) => {
  const desk = await startDesk({ exec: untilClosed });
  t.after(() => desk.close());
  const client = desk.client();
  await client.exec("web", body, { grace: 20 });
  client.pairs[0]?.cut();
  await client.close();
  await until("no session any more", () => Object.keys(desk.sessions.counts()).length === 0);
  assert.equal(desk.audit.at(-1)?.outcome, "client-gone");
});

test("a connection waits for its client no longer than the forward it belongs to", async (t) => {
  const silent = () => new Duplex({ read() {}, write: (_bytes, _encoding, done) => done() });
  const desk = await startDesk({ dial: silent });
  t.after(() => desk.close());
  const client = desk.client();
  const forward = await client.forward("web", { ports: [80] }, { grace: 20 });
  const connection = await forward.dial(80);
  assert.equal((await connection.opened).grace, 20);
  client.pairs[0]?.cut();
  await client.close();
  await until("no session any more", () => Object.keys(desk.sessions.counts()).length === 0);
});
