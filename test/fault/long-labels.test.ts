/** Containers whose labels have no end: the agent goes on with all others, and tells which one it does not show. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { readiness } from "./stage.ts";

const MIB = 1024 * 1024;
/** Characters of one label: Docker's client reads no longer lines. */
const LABEL = 60_000;
const LEFT_OUT = "is left out of all lists";

interface Event {
  action: string;
  container?: { id: string; name: string };
}

suite("a container with long labels", () => {
  let engine: Engine;
  let agent: TestAgent;
  let directory: string;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "fl-labels-"));
    engine = await startEngine();
    await engine.run("ordinary");
    agent = await startAgent({ engine });
    await readiness(agent, true);
  });

  after(async () => {
    await agent?.stop();
    await engine?.remove();
    await rm(directory, { recursive: true });
  });

  test("of more than an event's line may be is there, with what happens to it, and its health checks are no news", async () => {
    const id = await engine.run("large", { args: await labels(1.5 * MIB) });
    await listed("large", "running");
    for (let i = 0; i < 3; i++) await engine.docker("exec", "large", "true");
    await engine.docker("kill", "large");
    await listed("large", "exited");
    await until("the events of its life", async () => {
      const own = (await told<{ events: Event[] }>("/api/v1/events")).events.filter((it) => it.container?.id === id);
      return own.some(({ action }) => action === "die") && !own.some(({ action }) => action.startsWith("exec"));
    });
    assert.doesNotMatch(agent.log(), /does not answer/);
  });

  test("of more than a list may be is left out, and the log says so once", async () => {
    const id = await engine.run("huge", { args: await labels(40 * MIB) });
    await engine.run("later");
    await listed("later", "running");
    await engine.docker("kill", "later");
    await listed("later", "exited");
    await listed("ordinary", "running");
    assert.deepEqual((await list()).map(({ name }) => name).includes("huge"), false);
    const warnings = agent
      .log()
      .split("\n")
      .filter((line) => line.includes(LEFT_OUT));
    assert.equal(warnings.length, 1, agent.log());
    assert.match(warnings[0] ?? "", new RegExp(id));
    assert.equal((await agent.fetch("/readyz")).status, 200);
    assert.doesNotMatch(agent.log(), /does not answer/);
  });

  /** Options that give a container labels of so many bytes. */
  async function labels(bytes: number): Promise<string[]> {
    const file = join(directory, String(bytes));
    const lines = Array.from({ length: Math.ceil(bytes / LABEL) }, (_, at) => `label${at}=${"x".repeat(LABEL)}`);
    await writeFile(file, lines.join("\n"));
    return ["--label-file", file];
  }

  async function told<T>(path: string): Promise<T> {
    const answer = await agent.fetch(path);
    assert.equal(answer.status, 200, path);
    return (await answer.json()) as T;
  }

  async function list(): Promise<{ name: string; state: string }[]> {
    return (await told<{ containers: { name: string; state: string }[] }>("/api/v1/containers")).containers;
  }

  async function listed(name: string, state: string): Promise<void> {
    await until(`${name} being ${state}`, async () =>
      (await list()).some((it) => it.name === name && it.state === state),
    );
  }
});
