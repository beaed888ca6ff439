/** Takes the engine away under sessions of every kind: a clear end, never a made-up success, and everything works again when it is back. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Client } from "../../src/client/client.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { closeAll, type Kind, KINDS, type Live, MAIN, openAll, openLive } from "./kinds.ts";
import { carries, connectTo, readiness } from "./stage.ts";

const CONTAINER = "fault-engine";
/** Milliseconds that each connection to a slow engine waits. */
const ANSWER_MS = 300;

/** What may be said of a process when its engine is gone: that it was killed, or that nobody knows. Never exit 0. */
const NO_SUCCESS = /^(exit 137|unknown|engine-unavailable|engine-error)$/;
const PROCESSES: Kind[] = ["exec", "terminal", "attach"];

suite("an engine that was", () => {
  let engine: Engine;
  let agent: TestAgent;
  let client: Client;

  before(async () => {
    engine = await startEngine();
    await engine.run(CONTAINER, { command: MAIN, args: ["--restart", "always"] });
    agent = await startAgent({ engine });
    client = connectTo(agent);
  });

  after(async () => {
    await client?.close();
    await agent?.stop();
    await engine?.remove();
  });

  test("killed with -9 ends processes without success, keeps connections, and lets a log go on where it was", async () => {
    const all = await openAll(client, CONTAINER);
    await engine.kill("SIGKILL");
    await readiness(agent, false);
    for (const live of of(all, PROCESSES)) assert.match(await live.ending(), NO_SUCCESS, live.kind);
    for (const live of of(all, ["connection"])) await live.answers();
    await refusesEverything();
    assert.equal((await agent.fetch("/healthz")).status, 200);

    await engine.start();
    await readiness(agent, true);
    await ended(of(all, ["connection"]));
    await worksAgain();
    const [log] = of(all, ["logs"]);
    assert.ok(log);
    await log.answers();
    await log.session.close();
    await sameAsTheEngine(log);
    await carries(agent, 0);
  });

  test("stopped ends processes without success, and a log with its container's last line", async () => {
    const all = await openAll(client, CONTAINER);
    await engine.stop();
    await readiness(agent, false);
    for (const live of of(all, PROCESSES)) assert.match(await live.ending(), NO_SUCCESS, live.kind);
    await ended(of(all, ["connection"]));
    await refusesEverything();

    await engine.start();
    await readiness(agent, true);
    await worksAgain();
    // The engine stops its containers first, so that the log has ended by itself, as with `docker logs -f`.
    for (const log of of(all, ["logs"])) assert.equal(await log.ending(), "exit 0");
    await sameAsTheEngine(...of(all, ["logs"]));
    await carries(agent, 0);
  });

  test("frozen makes the agent not ready, and every session goes on when it thaws", async () => {
    const all = await openAll(client, CONTAINER);
    await engine.kill("SIGSTOP");
    try {
      for (const live of of(all, ["connection"])) await live.answers();
      await readiness(agent, false);
      await refusesEverything();
    } finally {
      await engine.kill("SIGCONT");
    }
    await readiness(agent, true);
    for (const live of all) await live.answers();
    await closeAll(all);
    await sameAsTheEngine(...of(all, ["logs"]));
    await carries(agent, 0);
  });

  test("slow is waited for by an agent that starts, before it lets anybody in", async () => {
    const directory = await mkdtemp(join(tmpdir(), "fl-slow-"));
    const slow = createServer((socket) => {
      const pass = () => socket.pipe(connect(engine.socket).on("error", () => socket.destroy())).pipe(socket);
      setTimeout(pass, ANSWER_MS);
    });
    await once(slow.listen(join(directory, "docker.sock")), "listening");
    const late = await startAgent({ engine: { host: `unix://${join(directory, "docker.sock")}` } });
    const { status } = await late.fetch("/api/v1/containers");
    await late.stop();
    slow.close();
    await rm(directory, { recursive: true });
    assert.equal(status, 200);
  });

  /** Opening anything says at once that the engine is away. */
  async function refusesEverything(): Promise<void> {
    for (const kind of KINDS.filter((kind) => kind !== "connection"))
      await assert.rejects(openLive(client, CONTAINER, kind), { code: "engine-unavailable" });
    const answer = await agent.fetch("/api/v1/containers");
    assert.equal(answer.status, 503, await answer.text());
  }

  async function worksAgain(): Promise<void> {
    await until("the container running again", async () => {
      return (await engine.docker("inspect", "--format", "{{.State.Running}}", CONTAINER)) === "true";
    });
    await closeAll(await openAll(client, CONTAINER));
  }

  /** Every line that the engine has, once and in order, up to where the reading stopped. */
  async function sameAsTheEngine(...logs: Live[]): Promise<void> {
    const whole = await engine.docker("logs", CONTAINER);
    for (const { text } of logs) assert.ok(whole.startsWith(text.trimEnd()), differs(whole, text));
  }
});

function of(all: Live[], kinds: Kind[]): Live[] {
  return all.filter(({ kind }) => kinds.includes(kind));
}

async function ended(connections: Live[]): Promise<void> {
  for (const live of connections) {
    await live.ending();
    await live.forward?.close();
  }
}

/** Where a log went wrong, in lines. */
function differs(whole: string, text: string): string {
  const [there, here] = [whole.split("\n"), text.split("\n")];
  const at = here.findIndex((line, i) => line !== there[i]);
  return `line ${at}: the engine has ${there.slice(at - 2, at + 3).join(", ")}; the reader got ${here.slice(at - 2, at + 3).join(", ")}`;
}
