/** A follow that the engine has silently stopped delivering. */

import assert from "node:assert/strict";
import { after, before, mock, suite, test } from "node:test";
import { type Patience, Silence } from "../../../../src/agent/runtime/docker/log-silence.ts";
import { containerLogs } from "../../../../src/agent/runtime/docker/logs.ts";
import type { LogEntry } from "../../../../src/agent/runtime/runtime.ts";
import { hangsAfter, json, says, withFakeEngine } from "./fake-engine.ts";

const { signal } = new AbortController();
const ID = "c".repeat(64);
const PATIENCE: Patience = { first: 1_000, max: 4_000, grace: 100 };
const FOLLOW = { follow: true, stdout: true, stderr: true };
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

suite("silence of a followed log", () => {
  before(() => mock.timers.enable({ apis: ["setTimeout"] }));
  after(() => mock.timers.reset());

  test("is broken when the log has an entry that has not come, and does not come when it was found", async () => {
    const { silence, broken, looks } = watch([line(1), line(2)]);
    silence.heard([line(1)]);
    silence.ask();
    for (const ms of [1_000, 1_000, 2_000]) await pass(ms);
    assert.deepEqual([broken(), looks()], [undefined, 2]);
    await pass(PATIENCE.grace);
    assert.equal(broken(), true);
  });

  test("is none when the entry comes late", async () => {
    const { silence, broken } = watch([line(2), line(2), line(2)]);
    silence.heard([line(1)]);
    silence.ask();
    await pass(PATIENCE.first);
    silence.heard([line(2)]);
    silence.ask();
    for (let i = 0; i < 10; i += 1) await pass(PATIENCE.max);
    assert.equal(broken(), undefined);
  });

  test("is looked into less and less often while nothing is found, and anew after the next entry", async () => {
    const { silence, looks } = watch([]);
    silence.ask();
    for (const [ms, count] of [
      [1_000, 1],
      [1_000, 1],
      [1_000, 2],
      [4_000, 3],
      [4_000, 4],
      [3_999, 4],
      [1, 5],
    ] as const) {
      await pass(ms);
      assert.equal(looks(), count);
    }
    silence.heard([line(1)]);
    silence.ask();
    await pass(PATIENCE.max);
    assert.equal(looks(), 5);
    await pass(PATIENCE.first);
    assert.equal(looks(), 6);
  });

  test("is none while nobody asks", async () => {
    const { silence, looks } = watch([line(1)]);
    silence.ask();
    silence.heard([line(1)]);
    for (let i = 0; i < 10; i += 1) await pass(PATIENCE.max);
    assert.equal(looks(), 0);
  });

  test("before the first entry is measured from what was there at the first look", async () => {
    const { silence, broken, looks } = watch([line(1), line(1), line(2)]);
    silence.ask();
    await pass(1_000);
    await pass(2_000);
    assert.deepEqual([broken(), looks()], [undefined, 2]);
    await pass(4_000);
    await pass(PATIENCE.grace);
    assert.equal(broken(), true);
  });

  test("tells nothing about a line that has not ended, nor when the engine does not answer", async () => {
    const unended = { ...line(2), bytes: Buffer.from("prompt> ") };
    const { silence, broken, looks } = watch([unended, new Error("away"), unended]);
    silence.heard([line(1)]);
    silence.ask();
    for (let i = 0; i < 3; i += 1) await pass(PATIENCE.max);
    assert.ok(looks() >= 2);
    assert.equal(broken(), undefined);
  });
});

test("a follow that an engine stops delivering breaks off, so that it can be read on from there", async () => {
  const looks: string[] = [];
  const to = (request: string) => {
    if (request.includes("/version")) return says(json("{}"));
    if (request.includes("/json"))
      return says(json(JSON.stringify({ Id: ID, Config: { Tty: false }, HostConfig: {} })));
    if (request.includes("follow=1")) return hangsAfter(`${CHUNKED}${chunk(line(1))}`);
    looks.push(request);
    return says(`${CHUNKED}${chunk(line(looks.length > 2 ? 2 : 1))}0\r\n\r\n`);
  };
  await withFakeEngine({ to }, async (engine) => {
    const patience = { first: 5, max: 20, grace: 5 };
    const log = containerLogs(engine, ID, { options: FOLLOW, signal, patience });
    assert.deepEqual((await log.next()).value, [line(1)]);
    await assert.rejects(log.next(), { name: "LogInterrupted", message: /stopped delivering/ });
    assert.match(looks[0] ?? "", /tail=1 HTTP/);
  });
});

function line(second: number): LogEntry {
  return { stream: "stdout", time: `2026-11-21T04:03:0${second}.390724094Z`, bytes: Buffer.from(`line ${second}\n`) };
}

/** Framed and as one chunk. */
function chunk({ time, bytes }: LogEntry): string {
  const payload = `${time} ${Buffer.from(bytes).toString()}`;
  const header = String.fromCharCode(1, 0, 0, 0, 0, 0, 0, payload.length);
  return `${(8 + payload.length).toString(16)}\r\n${header}${payload}\r\n`;
}

/** What the looks find, one after another, and the last for ever. */
function watch(found: (LogEntry | Error)[]) {
  let count = 0;
  const look = async () => {
    const it = found[Math.min(count, found.length - 1)];
    count += 1;
    if (it instanceof Error) throw it;
    return it;
  };
  const silence = new Silence(look, PATIENCE);
  let outcome: boolean | undefined;
  void silence.broken(signal).then((broken) => (outcome = broken));
  return { silence, broken: () => outcome, looks: () => count };
}

async function pass(ms: number): Promise<void> {
  mock.timers.tick(ms);
  for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
}
