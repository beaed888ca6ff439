/** A container is there for everybody as soon as whoever made it has been told so. */

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client } from "../../../src/client/client.ts";
import type { RemoteSession } from "../../../src/client/session.ts";
import { dialler } from "../../../src/ctl/connection/dial.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { startAgent, type TestAgent } from "../../support/agent.ts";
import { type Engine, sharedEngine } from "../../support/engine.ts";

/** In a row: one lucky moment proves nothing. */
const ROUNDS = { create: 10, run: 5, rename: 10 };

interface Parts {
  engine: Engine;
  agent: TestAgent;
  client: Client;
}

let parts: Parts | undefined;

function ready(): Parts {
  assert.ok(parts, "the agent has not started");
  return parts;
}

before(async () => {
  const engine = await sharedEngine();
  const agent = await startAgent({ engine });
  const server = {
    url: new URL(agent.url),
    token: new Secret(agent.token),
    urlFrom: "the test",
    tokenFrom: "the test",
  };
  parts = { engine, agent, client: new Client({ software: "test", dial: dialler(server) }) };
});

after(async () => {
  await parts?.client.close();
  await parts?.agent.stop();
});

async function outputOf(session: RemoteSession): Promise<string> {
  let text = "";
  for await (const packet of session.packets())
    if (packet.type === "stdout") text += Buffer.from(packet.bytes).toString();
  return text;
}

/** Makes containers one after the other and uses each at once. */
async function eachTime(verb: keyof typeof ROUNDS, use: (name: string) => Promise<void>): Promise<void> {
  const { engine } = ready();
  const old = await engine.run("new-old");
  for (let round = 0; round < ROUNDS[verb]; round += 1) {
    const name = `new-${verb}-${round}`;
    if (verb === "create") await engine.docker("create", "--name", name, "busybox", "true");
    else if (verb === "run") await engine.run(name);
    else await engine.docker("rename", old, name);
    await use(name);
    if (verb !== "rename") await engine.docker("rm", "--force", name);
  }
  await engine.docker("rm", "--force", old);
}

async function echoes({ client }: Parts, name: string): Promise<void> {
  const session = await client.exec(name, { command: ["cat"], tty: false, stdin: true });
  await session.send({ type: "stdin", bytes: Buffer.from(name) });
  await session.send({ type: "end" });
  assert.equal(await outputOf(session), name);
}

async function logs({ client }: Parts, name: string): Promise<void> {
  const session = await client.logs(name, { follow: false, stdout: true, stderr: true, timestamps: false });
  assert.equal(await outputOf(session), "");
}

async function describes({ agent }: Parts, name: string): Promise<void> {
  const answer = await agent.fetch(`/api/v1/containers/${name}`);
  assert.equal(answer.status, 200, `${name}: ${await answer.text()}`);
}

async function forwards({ client }: Parts, name: string): Promise<void> {
  const forward = await client.forward(name, { ports: [7] });
  const connection = await forward.dial(7);
  await assert.rejects(connection.opened, { code: "dial-refused" });
  await forward.close();
}

test("a container that has just been made is described over HTTP", () =>
  eachTime("create", (name) => describes(ready(), name)));

test("the log of a container that has just been made is there", () =>
  eachTime("create", (name) => logs(ready(), name)));

test("a container that has just been started takes every kind of session at the same time", () =>
  eachTime("run", async (name) => {
    await Promise.all([describes, echoes, logs, forwards].map((use) => use(ready(), name)));
  }));

test("a container that has just been renamed has its new name", () =>
  eachTime("rename", async (name) => {
    await Promise.all([echoes, forwards].map((use) => use(ready(), name)));
  }));
