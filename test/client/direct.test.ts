/** Sessions that another door of the agent opens for its client: as any other, without a connection in between. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { suite, test } from "node:test";
import type { DirectRequest, DirectSession } from "../../src/client/direct.ts";
import { FairleadError } from "../../src/protocol/errors.ts";
import type { ExitStatus, Packet } from "../../src/protocol/packet.ts";
import type { Grant } from "../../src/protocol/rights.ts";
import { ADMIN, startDesk } from "../support/desk.ts";
import { settled, until } from "../support/until.ts";
import type { Script } from "../support/scripted-runtime.ts";

const MEBIBYTE = 1_048_576;
const REMOTE = { address: "127.0.0.1", door: "test" };

function exec(container = "web"): DirectRequest {
  return { header: { op: "exec", container, onDrop: "kill" }, body: { command: ["cat"], tty: false, stdin: true } };
}

/** Says back what it hears, then ends. */
async function echo({ stdin, ended, print }: Script): Promise<ExitStatus> {
  await ended;
  for (const bytes of stdin) await print(bytes);
  return { code: 7 };
}

async function startDirect(run: (script: Script) => Promise<ExitStatus>, limits = {}) {
  const desk = await startDesk({ exec: run, limits });
  const revoke = new AbortController();
  const open = (request: DirectRequest, { grant = ADMIN, signal = new AbortController().signal } = {}) =>
    desk.sessions.open(request, { subject: { grant, revoked: revoke.signal }, remote: REMOTE, signal });
  return { ...desk, open, withdraw: () => revoke.abort() };
}

async function all(session: DirectSession): Promise<Packet[]> {
  const packets: Packet[] = [];
  for await (const packet of session.packets()) packets.push(packet);
  return packets;
}

const refusedWith = (code: string) => (error: unknown) => error instanceof FairleadError && error.code === code;

suite("a session that another door opens", () => {
  test("carries every byte both ways, in order, and the bytes stay what they are", async () => {
    const desk = await startDirect(echo);
    const session = await desk.open(exec());
    const sent = randomBytes(3 * MEBIBYTE);
    for (let at = 0; at < sent.length; at += 100_001)
      await session.send({ type: "stdin", bytes: sent.subarray(at, at + 100_001) });
    await session.send({ type: "end" });
    const packets = await all(session);
    const got = packets.flatMap((packet) => (packet.type === "stdout" ? [packet.bytes] : []));
    assert.ok(Buffer.concat(got).equals(sent));
    assert.deepEqual(packets.at(-1), { type: "exit", status: { code: 7 } });
    const end = desk.audit.find(({ event }) => event === "end");
    assert.deepEqual([end?.outcome, end?.bytesIn, end?.bytesOut], ["exit 7", sent.length, sent.length]);
    assert.deepEqual([desk.sessions.counts(), desk.budget.used], [{}, 0]);
    await desk.close();
  });

  test("stops what writes when nobody reads", async () => {
    let printed = 0;
    const desk = await startDirect(async ({ print, closed }) => {
      const bytes = new Uint8Array(65_536);
      while (!closed.aborted) {
        await print(bytes);
        printed += bytes.length;
        await new Promise(setImmediate);
      }
      return { code: 0 };
    });
    const session = await desk.open(exec());
    await settled(() => printed);
    assert.ok(printed < MEBIBYTE, `${printed} bytes`);
    session.close();
    await desk.sessions.close();
    assert.equal(desk.budget.used, 0);
    await desk.close();
  });

  test("is refused as any other: unknown, forbidden, too many, shutting down", async () => {
    const desk = await startDirect(async ({ ended }) => (await ended, { code: 0 }), { sessionsPerContainer: 1 });
    const nobody: Grant = { subject: "nobody", rights: ["logs"], scopes: [] };
    await assert.rejects(desk.open(exec("nothing")), refusedWith("not-found"));
    await assert.rejects(desk.open(exec(), { grant: nobody }), refusedWith("not-found"));
    const session = await desk.open(exec());
    await assert.rejects(desk.open(exec()), refusedWith("too-many"));
    session.close();
    const next = await desk.open(exec());
    await desk.sessions.close();
    await assert.rejects(all(next), refusedWith("shutting-down"));
    await assert.rejects(desk.open(exec()), refusedWith("shutting-down"));
    await desk.close();
  });

  test("can be asked about before it is opened, and then nothing has begun", async () => {
    const desk = await startDirect(async ({ ended }) => (await ended, { code: 0 }), { sessionsPerContainer: 1 });
    const visit = { subject: { grant: ADMIN, revoked: new AbortController().signal }, remote: REMOTE };
    const check = (request: DirectRequest) =>
      desk.sessions.check(request, { ...visit, signal: new AbortController().signal });
    await check(exec());
    assert.deepEqual([desk.runtime.scripts, desk.audit.length], [[], 0]);
    await assert.rejects(check(exec("nothing")), refusedWith("not-found"));
    await assert.rejects(check({ header: { op: "exec" }, body: { command: [] } }), refusedWith("bad-request"));
    await assert.rejects(check({ header: { op: "dial" }, body: {} }), refusedWith("bad-request"));
    await desk.open(exec());
    await assert.rejects(check(exec()), refusedWith("too-many"));
    await desk.close();
  });

  test("ends when the access of whoever opened it is withdrawn", async () => {
    const desk = await startDirect(async ({ closed, ended }) => (await ended, { code: closed.aborted ? 137 : 0 }));
    const session = await desk.open(exec());
    desk.withdraw();
    await assert.rejects(all(session), refusedWith("revoked"));
    assert.equal(desk.runtime.scripts[0]?.closed.aborted, true);
    await desk.close();
  });

  test("is not left behind by a client that does not wait for the answer", async () => {
    const gone = new AbortController();
    const reason = new FairleadError("client-gone", "the client went away");
    const desk = await startDirect(echo);
    const opening = desk.open(exec(), { signal: gone.signal });
    gone.abort(reason);
    await assert.rejects(opening, reason);
    await assert.rejects(desk.open(exec(), { signal: gone.signal }), reason);
    await until("no exec any more", () => desk.sessions.counts()["exec"] === undefined);
    assert.equal(desk.budget.used, 0);
    await desk.close();
  });

  test("is refused the rest once it is closed", async () => {
    const desk = await startDirect(echo);
    const session = await desk.open(exec());
    session.close();
    session.close();
    await assert.rejects(session.send({ type: "stdin", bytes: new Uint8Array(1) }), refusedWith("client-gone"));
    await assert.rejects(all(session), refusedWith("client-gone"));
    await until("no exec any more", () => desk.sessions.counts()["exec"] === undefined);
    assert.equal(desk.audit.at(-1)?.outcome, "client-gone");
    await desk.close();
  });
});
