/** The desk: limits, idle time, withdrawn access, one writer, and the two steps of a shutdown. */

import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { Client } from "../../../src/client/client.ts";
import type { RemoteSession } from "../../../src/client/session.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";
import type { ExitStatus } from "../../../src/protocol/packet.ts";
import type { Grant } from "../../../src/protocol/rights.ts";
import { clocks } from "../../support/clocks.ts";
import { ADMIN, startDesk } from "../../support/desk.ts";
import type { Script } from "../../support/scripted-runtime.ts";
import { until } from "../../support/until.ts";

const DAY = 86_400_000;

/** Runs until it is closed. */
async function linger({ closed }: Script): Promise<ExitStatus> {
  await new Promise<void>((resolve) => {
    closed.addEventListener("abort", () => resolve(), { once: true });
  });
  return { code: 137 };
}

const TERMINAL = { command: ["sh"], tty: true, stdin: true };
const PIPE = { command: ["sh"], tty: false, stdin: true };

async function codeOf(session: RemoteSession): Promise<string> {
  try {
    for await (const packet of session.packets()) if (packet.type === "exit") return JSON.stringify(packet.status);
    return "ended";
  } catch (error) {
    return error instanceof FairleadError ? error.code : String(error);
  }
}

/** A client whose first connection is its only one; how later attempts fail is told. */
function onlyOnce(desk: Awaited<ReturnType<typeof startDesk>>, code: "unreachable" | "unauthenticated") {
  const pair = desk.connect();
  let dials = 0;
  const dial = async () => {
    dials += 1;
    if (dials > 1) throw new FairleadError(code, "no more");
    return pair.a;
  };
  return { client: new Client({ software: "test", dial }), cut: () => pair.cut() };
}

test("withdrawn access ends a session that waits for its client", async () => {
  const desk = await startDesk({ exec: linger });
  const { client, cut } = onlyOnce(desk, "unreachable");
  await client.exec("web", TERMINAL);
  cut();
  await new Promise(setImmediate);
  desk.revoke();
  await until("the end in the audit", () =>
    desk.audit.some(({ event, outcome }) => event === "end" && outcome === "revoked"),
  );
  assert.equal(desk.runtime.scripts[0]?.closed.aborted, true);
  await client.close();
  await desk.close();
});

test("withdrawn access ends live sessions and their connection", async () => {
  const desk = await startDesk({ exec: linger });
  const client = desk.client();
  const session = await client.exec("web", TERMINAL);
  desk.revoke();
  assert.equal(await codeOf(session), "revoked");
  await until("no exec any more", () => desk.sessions.counts()["exec"] === undefined);
  await assert.rejects(client.exec("web", TERMINAL), /withdrawn/);
  await client.close();
  await desk.close();
});

test("a session is told to have lasted as long as it did, however the clock is set meanwhile", async (t) => {
  const { jump } = clocks(t);
  const steps = [-DAY, DAY];
  const exec = async () => {
    jump(steps.shift() ?? 0);
    return { code: 0 };
  };
  const desk = await startDesk({ exec });
  const client = desk.client();
  t.after(async () => {
    await client.close();
    await desk.close();
  });
  for (let i = 0; i < 2; i++) assert.equal(await codeOf(await client.exec("web", PIPE)), '{"code":0}');
  const durations = await until("both ends in the audit", () => {
    const told = desk.audit.flatMap(({ duration }) => duration ?? []);
    return told.length === 2 && told;
  });
  assert.ok(
    durations.every((ms) => Number.isInteger(ms) && ms >= 0 && ms < DAY / 2),
    durations.join(),
  );
});

test("what is meant for another host is not done on this one", async () => {
  const desk = await startDesk({ exec: async () => ({ code: 0 }) });
  const client = desk.client();
  await assert.rejects(client.exec("web", PIPE, { node: "other" }), {
    code: "not-found",
    message: 'No host "other" here: this is the agent of "test", and knows no other.',
  });
  assert.equal(await codeOf(await client.exec("web", PIPE, { node: "test" })), '{"code":0}');
  assert.equal(desk.runtime.scripts.length, 1);
  await client.close();
  await desk.close();
});

test("a pipe ends with its connection", async () => {
  const desk = await startDesk({ exec: linger });
  const { client, cut } = onlyOnce(desk, "unreachable");
  const session = await client.exec("web", PIPE);
  cut();
  assert.equal(await codeOf(session), "unreachable");
  await until("the end in the audit", () => desk.audit.some(({ outcome }) => outcome === "client-gone"));
  await client.close();
  await desk.close();
});

test("a terminal whose client never comes back is ended after its grace", async () => {
  const desk = await startDesk({ exec: linger, limits: { grace: 30 } });
  const { client, cut } = onlyOnce(desk, "unauthenticated");
  const session = await client.exec("web", TERMINAL);
  cut();
  assert.equal(await codeOf(session), "unauthenticated");
  await until("the end in the audit", () => desk.audit.some(({ outcome }) => outcome === "client-gone"));
  assert.equal(desk.runtime.scripts[0]?.closed.aborted, true);
  await desk.close();
});

test("limits on sessions are told by name", async () => {
  const desk = await startDesk({ exec: linger, limits: { sessions: 2 } });
  const client = desk.client();
  await client.exec("web", TERMINAL);
  await client.exec("web", TERMINAL);
  await assert.rejects(client.exec("web", TERMINAL), /max_sessions/);
  await client.close();
  await desk.close();
});

for (const limits of [{ sessions: 8 }, { sessionsPerContainer: 8 }])
  test(`of ${Object.keys(limits).join()} one person leaves some to others`, async () => {
    const desk = await startDesk({ exec: linger, limits });
    const [hog, other] = [desk.client(), desk.client([], { ...ADMIN, subject: "other" })];
    for (let i = 0; i < 6; i += 1) await hog.exec("web", TERMINAL);
    await assert.rejects(hog.exec("web", TERMINAL), {
      code: "too-many",
      message: /\(max_sessions.*\); you have 6, and the rest is kept for others\.$/,
    });
    await other.exec("web", TERMINAL);
    for (const client of [hog, other]) await client.close();
    await desk.close();
  });

test("of connections, too", async () => {
  const dial = () => new PassThrough();
  const desk = await startDesk({ dial, limits: { connections: 8 } });
  const forward = async (grant: Grant) => {
    const client = desk.client([], grant);
    return { client, opened: await client.forward("web", { ports: [80] }) };
  };
  const [hog, other] = [await forward(ADMIN), await forward({ ...ADMIN, subject: "other" })];
  for (let i = 0; i < 6; i += 1) await hog.opened.dial(80);
  assert.equal(await codeOf(await hog.opened.dial(80)), "too-many");
  await other.opened.dial(80);
  await until("the other's", () => desk.sessions.counts()["connection"] === 7);
  for (const { client } of [hog, other]) await client.close();
  await desk.close();
});

test("a cut connection is replaced by itself and the session goes on", async () => {
  const desk = await startDesk({ exec: linger });
  const client = desk.client();
  const session = await client.exec("web", TERMINAL);
  client.pairs[0]?.cut();
  await until("a second connection", () => client.pairs.length === 2);
  await session.send({ type: "stdin", bytes: Buffer.from("x") });
  await until("the input once", () => Buffer.concat(desk.runtime.scripts[0]?.stdin ?? []).toString() === "x");
  assert.equal(desk.audit.filter(({ event }) => event === "resume").length, 1);
  await client.close();
  await desk.close();
});

test("a shutdown waits for what is open, then ends it with words", async () => {
  const desk = await startDesk({ exec: linger });
  const client = desk.client();
  const session = await client.exec("web", TERMINAL);
  const outcome = codeOf(session);
  const cut = new AbortController();
  desk.sessions.farewell(5_000);
  const draining = desk.sessions.drain(cut.signal);
  await assert.rejects(client.exec("web", TERMINAL), /shutting down/);
  cut.abort();
  await draining;
  await desk.sessions.close();
  assert.equal(await outcome, "shutting-down");
  await client.close();
  await desk.close();
});

test("a client that stops reading stops its own process only", async () => {
  const desk = await startDesk({
    exec: async ({ print, closed }) => {
      while (!closed.aborted) await print(new Uint8Array(8_192));
      return { code: 0 };
    },
  });
  const client = desk.client();
  await client.exec("web", TERMINAL);
  const reader = await client.exec("web", TERMINAL);
  let read = 0;
  for await (const packet of reader.packets()) {
    if (packet.type === "stdout") read += packet.bytes.length;
    if (read > 4_000_000) break;
  }
  await client.close();
  await desk.close();
});

test("an observer hears what a session prints, a slow one hears of its gap, and neither is felt", async () => {
  let go: () => void = () => {};
  const started = new Promise<void>((resolve) => {
    go = resolve;
  });
  const desk = await startDesk({
    exec: async ({ print }) => {
      await started;
      for (let i = 0; i < 400; i += 1) await print(new Uint8Array(8_192).fill(i));
      return { code: 5 };
    },
  });
  const client = desk.client();
  const writer = await client.exec("web", TERMINAL);
  const quick = await client.observe(writer.id);
  const stalled = await client.observe(writer.id);
  assert.equal(quick.tty, true);
  const outcomes = Promise.all([bytesOf(writer), bytesOf(quick)]);
  go();
  assert.deepEqual(await outcomes, [
    { bytes: 3_276_800, gap: 0 },
    { bytes: 3_276_800, gap: 0 },
  ]);
  const late = await bytesOf(stalled);
  assert.ok(late.gap > 0);
  assert.equal(late.bytes + late.gap, 3_276_800);
  await client.close();
  await desk.close();
});

test("only whoever opened a session, or its administrator, may observe it", async () => {
  const desk = await startDesk({ exec: linger });
  const owner = desk.client([], { subject: "token:a", rights: ["exec"], scopes: [] });
  const { id } = await owner.exec("web", TERMINAL);
  const stranger = desk.client([], { subject: "token:b", rights: ["exec"], scopes: [] });
  const administrator = desk.client();
  await owner.observe(id);
  await administrator.observe(id);
  await assert.rejects(stranger.observe(id), { code: "session-gone" });
  await assert.rejects(administrator.observe("f".repeat(24)), { code: "session-gone" });
  for (const client of [owner, stranger, administrator]) await client.close();
  await desk.close();
});

async function bytesOf(session: RemoteSession): Promise<{ bytes: number; gap: number }> {
  const sum = { bytes: 0, gap: 0 };
  for await (const packet of session.packets()) {
    if (packet.type === "stdout") sum.bytes += packet.bytes.length;
    if (packet.type === "gap") sum.gap += packet.gap.bytes ?? 0;
  }
  return sum;
}
