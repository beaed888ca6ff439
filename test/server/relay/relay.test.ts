/** Sessions through a relay, on real sockets: nothing of what the ends say to each other is lost, changed or held up. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { LinkState } from "../../../src/client/link.ts";
import type { RemoteSession } from "../../../src/client/session.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";
import type { ExitStatus } from "../../../src/protocol/packet.ts";
import { echo } from "../../support/far-end.ts";
import { RelayRig } from "../../support/relay.ts";
import { ScriptedLog } from "../../support/scripted-log.ts";
import type { Script } from "../../support/scripted-runtime.ts";
import { until } from "../../support/until.ts";

const FOLLOW = { follow: true, stdout: true, stderr: true, timestamps: false };
const EXEC = { command: ["x"], tty: false, stdin: true };

test("an exec goes through, both ways, with its exit status", async (t) => {
  const { rig, desk } = await scene(t, { exec: shout });
  const session = await rig.client().exec("web", EXEC, { node: "box" });
  await session.send({ type: "stdin", bytes: Buffer.from("hello") });
  await session.send({ type: "end" });
  assert.deepEqual(await collect(session), { out: "HELLO", exit: { code: 7 } });
  assert.equal(session.container?.name, "web");
  await until("an end in both audits", () => rig.audit.length === 2 && desk.audit.length === 2);
  const [open, end] = rig.audit;
  assert.partialDeepStrictEqual(open, {
    event: "open",
    kind: "exec",
    node: "box",
    subject: "test",
    session: session.id,
  });
  assert.partialDeepStrictEqual(end, { event: "end", session: session.id, outcome: "closed 1000" });
  assert.ok((end?.bytesIn ?? 0) >= 5 && (end?.bytesOut ?? 0) >= 5);
  assert.partialDeepStrictEqual(desk.audit[0], { event: "open", subject: "server:test", session: session.id });
});

test("a forward and its connections go through, and count for the forward", async (t) => {
  const { rig } = await scene(t, { dial: echo });
  const forward = await rig.client().forward("web", { ports: [80] }, { node: "box" });
  for (const word of ["one", "two"]) {
    const connection = await forward.dial(80);
    await connection.send({ type: "stdin", bytes: Buffer.from(word) });
    await connection.send({ type: "end" });
    assert.deepEqual(await collect(connection), { out: word, exit: { code: 0 } });
  }
  await forward.close();
  const end = await until("the forward's end", () => rig.audit.find(({ event }) => event === "end"));
  assert.equal(end.connections, 2);
});

test("a node that is unknown and one that is not the caller's get the same answer", async (t) => {
  const { rig } = await scene(t, {});
  const error = await refusal(rig.client().exec("web", EXEC, { node: "elsewhere" }));
  assert.equal(error.code, "not-found");
});

test("what an agent refuses is told with the name that both audits have for it", async (t) => {
  const { rig, desk } = await scene(t, {});
  const { request } = await refusal(rig.client().exec("no-such", EXEC, { node: "box" }));
  await until("an end in the server's audit", () => rig.audit.length === 2);
  assert.ok(request !== undefined);
  assert.deepEqual([rig.audit[0]?.session, desk.audit[0]?.request], [request, request]);
});

test("an agent that is away is a clear refusal", async (t) => {
  const { rig } = await scene(t, {});
  const error = await refusal(rig.client().exec("web", EXEC, { node: "box2" }));
  assert.equal(error.code, "agent-away");
  assert.match(error.message, /box2/);
  assert.equal(rig.audit.at(-1)?.event, "refuse");
});

test("a request without a node is told how to write one", async (t) => {
  const { rig } = await scene(t, {});
  const error = await refusal(rig.client().exec("web", EXEC));
  assert.match(error.message, /NODE:container/);
});

test("rights and scopes are checked by the server and by the agent", async (t) => {
  const { rig, desk } = await scene(t, { exec: shout, containers: [{ labels: { team: "a" } }] });
  rig.admit("logs-only", { subject: "", rights: ["logs"], scopes: [] });
  rig.admit("other-team", { subject: "", rights: ["exec"], scopes: [{ team: "b" }] });
  rig.admit("own-team", { subject: "", rights: ["exec"], scopes: [{ team: "a" }] });
  assert.equal(
    (await refusal(rig.client({ token: "logs-only" }).exec("web", EXEC, { node: "box" }))).code,
    "not-found",
  );
  assert.equal(desk.audit.length, 0, "the agent was bothered");
  assert.equal(
    (await refusal(rig.client({ token: "other-team" }).exec("web", EXEC, { node: "box" }))).code,
    "not-found",
  );
  assert.equal(desk.audit[0]?.event, "refuse");
  const session = await rig.client({ token: "own-team" }).exec("web", EXEC, { node: "box" });
  await session.close();
});

test("a session is resumed by whoever opened it and by nobody else", async (t) => {
  const { rig } = await scene(t, { exec: shout });
  rig.admit("other", { subject: "", rights: ["admin"], scopes: [] });
  const session = await rig.client().exec("web", EXEC, { node: "box", onDrop: "keep" });
  const watching = rig.client({ token: "other" });
  const observer = await watching.observe(session.id, { node: "box" });
  assert.equal(observer.container?.name, "web");
  await session.close();
});

test("withdrawn access ends live sessions and those that wait for their client, within 5 s", async (t) => {
  const { rig, desk } = await scene(t, { exec: wait });
  rig.admit("guest", { subject: "", rights: ["exec"], scopes: [] });
  const live = await rig.client({ token: "guest" }).exec("web", EXEC, { node: "box", onDrop: "keep" });
  const waiting = rig.client({ token: "guest" });
  await waiting.exec("web", EXEC, { node: "box", onDrop: "keep" });
  const other = await rig.client().exec("web", EXEC, { node: "box" });
  const started = performance.now();
  rig.revoke("guest");
  const error = await live.ended.then(() => collect(live).catch((cause: unknown) => cause));
  assert.ok(error instanceof FairleadError);
  assert.equal(error.code, "revoked");
  await until("only the other one's session", () => desk.sessions.counts()["exec"] === 1);
  assert.ok(performance.now() - started < 5_000);
  await other.close();
});

test("access that was withdrawn while the agent was away ends its sessions when it is back", async (t) => {
  const { rig, desk } = await scene(t, { exec: wait });
  rig.admit("guest", { subject: "", rights: ["exec"], scopes: [] });
  await rig.client({ token: "guest" }).exec("web", EXEC, { node: "box", onDrop: "keep" });
  await rig.kill();
  await until("the agent noticing", () => !desk.isConnected());
  rig.revoke("guest");
  await rig.open();
  await until("no session", () => Object.keys(desk.sessions.counts()).length === 0);
});

test("an agent's goodbye is told once, moves a followed log on at once, and is over with what it was said to", async (t) => {
  const log = new ScriptedLog();
  const { rig, desk } = await scene(t, { exec: shout, logs: (...how) => log.logs(...how) });
  const states: LinkState[] = [];
  const client = rig.client({ onState: (state) => states.push(state) });
  const other = await rig.desk("box2", { logs: (...how) => log.logs(...how) });
  await until("the other agent's connection", () => other.isConnected());
  const follow = await client.logs("web", FOLLOW, { node: "box" });
  const elsewhere = await client.logs("web", FOLLOW, { node: "box2" });
  const sessions = [await client.exec("web", EXEC, { node: "box" }), await client.exec("web", EXEC, { node: "box" })];
  desk.farewell(desk.sessions.farewell(5_000));

  assert.equal((await refusal(collect(follow))).code, "shutting-down");
  assert.equal((await refusal(client.exec("web", EXEC, { node: "box" }))).code, "shutting-down");
  for (const session of sessions) {
    await session.send({ type: "end" });
    assert.deepEqual((await collect(session)).exit, { code: 7 });
  }
  const reason = "the agent is shutting down";
  assert.deepEqual(states, [
    { state: "connecting" },
    { state: "connected", again: false },
    { state: "leaving", node: "box", reason, endsInMs: 5_000 },
    { state: "connected", again: true },
  ]);
  await elsewhere.close();
});

async function scene(t: TestContext, options: Parameters<RelayRig["desk"]>[1]) {
  const rig = await RelayRig.start();
  t.after(() => rig[Symbol.asyncDispose]());
  const desk = await rig.desk("box", options);
  await until("the agent's connection", () => desk.isConnected());
  return { rig, desk };
}

/** Says it louder, and ends with 7. */
async function shout({ stdin, ended, print }: Script): Promise<ExitStatus> {
  await ended;
  await print(Buffer.concat(stdin).toString().toUpperCase());
  return { code: 7 };
}

async function wait({ ended }: Script): Promise<ExitStatus> {
  await ended;
  return { code: 0 };
}

async function collect(session: RemoteSession): Promise<{ out: string; exit?: ExitStatus }> {
  let out = "";
  for await (const packet of session.packets()) {
    if (packet.type === "stdout") out += Buffer.from(packet.bytes).toString();
    if (packet.type === "exit") return { out, exit: packet.status };
  }
  return { out };
}

async function refusal(attempt: Promise<unknown>): Promise<FairleadError> {
  const error = await attempt.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof FairleadError, "it was let in");
  return error;
}
