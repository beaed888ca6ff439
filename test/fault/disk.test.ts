/** Fills the disks that the programs write to: the agent says so as far as it can, and serves, also one that starts then. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { auditFiles } from "../../src/audit/files.ts";
import { verify } from "../../src/audit/verify.ts";
import type { NodeView } from "../../src/protocol/node.ts";
import { runCtl } from "../ctl/ctl.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { recordsIn } from "../support/audit.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { closeAll, MAIN, openAll } from "./kinds.ts";
import { Neighbour } from "./neighbour.ts";
import { fill, makeRoom, mountDisk, remount, unmount } from "./small-disk.ts";
import { carries, connectTo } from "./stage.ts";

const CONTAINER = "fault-disk";
/** Seconds, by which a process is known. */
const LEFT = "4711";
const TOLD = /the state directory cannot be written: /;

/** In which nothing can be written, how that ends, and how the agent before had ended. A killed one leaves its address behind. */
const WAYS = [
  { name: "a full disk", end: "SIGTERM" as const, take: (disk: string) => fill(disk), give: makeRoom },
  {
    name: "a read-only file system",
    end: "SIGKILL" as const,
    take: (disk: string) => remount(disk, "ro"),
    give: (disk: string) => remount(disk, "rw"),
  },
];

suite("a full disk", () => {
  let engine: Engine;
  let disk: string;
  let agent: TestAgent | undefined;

  before(async () => {
    engine = await sharedEngine();
    await engine.run(CONTAINER, { command: MAIN });
  });

  beforeEach(async () => {
    disk = await mountDisk();
  });

  afterEach(async () => {
    await remount(disk, "rw");
    await agent?.stop();
    await unmount(disk);
  });

  after(async () => {
    await engine?.docker("rm", "--force", CONTAINER);
  });

  test("under the log directory stops no session, and the audit goes on when there is room again", async () => {
    const logs = join(disk, "log");
    agent = await startAgent({ engine, flags: ["--log-directory", logs] });
    await servesAllKinds(agent, disk);
    const { size: before } = await stat(join(logs, "audit.log"));
    await makeRoom(disk);
    await until("the audit going on", async () => {
      await servesAllKinds(agent);
      return (await stat(join(logs, "audit.log"))).size > before;
    });
  });

  test("under the log directory stops those kinds alone whose record is required, until there is room again", async () => {
    const logs = join(disk, "log");
    agent = await startAgent({ engine, flags: ["--log-directory", logs, "--audit-required", "exec"] });
    const client = connectTo(agent);
    const exec = () => client.exec(CONTAINER, { command: ["true"], tty: false, stdin: false });
    await (await exec()).close();
    await fill(disk);
    // What is left of the last block takes a few records more.
    await until("a refusal", async () => (await outcomeOf(exec())) === "audit-unavailable");
    const lines = await client.logs(CONTAINER, { follow: true, stdout: true, stderr: true, timestamps: false });
    await makeRoom(disk);
    await until("an exec", async () => (await outcomeOf(exec())) === "open");
    await lines.close();
    await client.close();
    agent.kill("SIGTERM");
    await agent.exited;
    const records = await recordsIn(logs);
    const sessions = (wanted: string) =>
      new Set(records.flatMap(({ event, session }) => (event === wanted ? session : [])));
    assert.deepEqual(sessions("end"), sessions("open"));
    assert.deepEqual((await verify(await auditFiles(logs))).faults, []);
  });

  test("under the state directory stops no session", async () => {
    agent = await startAgent({ engine, home: await mkdtemp(join(disk, "home-")) });
    await servesAllKinds(agent, disk);
  });

  for (const { name, end, take, give } of WAYS)
    test(`${name} under the state directory stops no agent from starting, and ctl finds it once that is over`, async () => {
      const home = await mkdtemp(join(disk, "home-"));
      const earlier = (agent = await startAgent({ engine, home }));
      earlier.kill(end);
      await earlier.exited;
      await take(disk);
      agent = await startAgent({ engine, home });
      await servesAllKinds(agent);
      const echo = ["exec", CONTAINER, "--", "echo", "here"];
      const named = ["--server", agent.url, "--token-file", join(agent.stateDir, "token")];
      const { code, stdout, stderr } = await runCtl(agent, [...named, ...echo]);
      assert.deepEqual([code, stdout.toString()], [0, "here\n"], stderr);
      assert.match(agent.log(), TOLD);
      assert.ok(agent.log().includes(agent.url), "where it is");
      await give(disk);
      const { stateDir, url } = agent;
      const announced = () => readFile(join(stateDir, "agent.json"), "utf8").catch(() => "");
      await until("the announcement", async () => (await announced()).includes(url));
      assert.equal((await runCtl(agent, echo)).code, 0);
      assert.equal(agent.log().split("the state directory cannot be written").length, 2, "told once");
      assert.match(agent.log(), /the state directory can be written again/);
      await until("the audit going on", async () => {
        const { faults } = await verify(await auditFiles(join(stateDir, "log")));
        return faults.length === 0 && (await recordsIn(join(stateDir, "log"))).at(-1)?.event === "end";
      });
    });

  test("a read-only file system under the state directory keeps no agent from ending what a killed one left", async () => {
    const home = await mkdtemp(join(disk, "home-"));
    const earlier = (agent = await startAgent({ engine, home }));
    const client = connectTo(earlier);
    await client.exec(CONTAINER, { command: ["sleep", LEFT], tty: false, stdin: false });
    const left = async () => (await engine.docker("top", CONTAINER, "-eo", "pid,args")).includes(`sleep ${LEFT}`);
    await until("its process", left);
    // As a kill leaves it that comes while a record is written.
    await writeFile(join(earlier.stateDir, "execs", "torn.json.new"), "{");
    earlier.kill("SIGKILL");
    await earlier.exited;
    await client.close();
    await remount(disk, "ro");
    agent = await startAgent({ engine, home });
    await until("its end", async () => !(await left()));
    agent.kill("SIGTERM");
    assert.equal(await agent.exited, 0);
  });

  test("under the state directory lets an agent that starts back to its server, and no session ends when there is room again", async () => {
    const server = await startServer({ flags: ["--heartbeat-interval", "1s"] });
    const node = () => server.json<NodeView>("/api/v1/nodes/box");
    const ready = () => until("its agent", async () => (await node()).beat?.gatewayStatus === "connected");
    const home = await mkdtemp(join(disk, "home-"));
    try {
      const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: "box" });
      const earlier = (agent = await startAgent({ engine, home, flags: ["-S", server.url, "--token", token] }));
      await ready();
      earlier.kill("SIGTERM");
      await earlier.exited;
      await until("its absence", async () => (await node()).status !== "Ready");
      await fill(disk);
      agent = await startAgent({ engine, home, flags: ["-S", server.url] });
      await until("its return", async () => (await node()).status === "Ready");
      await ready();
      const neighbour = await Neighbour.start(server, CONTAINER, { node: "box", onDrop: "kill" });
      const { registered } = await node();
      await makeRoom(disk);
      for (let reports = 0; reports < 3; reports += 1) {
        const { lastSeen } = await node();
        await until("a report", async () => (await node()).lastSeen !== lastSeen);
        await neighbour.pulse();
      }
      await neighbour.stop();
      assert.deepEqual([(await node()).status, (await node()).registered], ["Ready", registered]);
    } finally {
      await server.stop();
    }
  });

  test("under its state directory is what a server says that it cannot start with", async () => {
    const home = await mkdtemp(join(disk, "home-"));
    const server = await startServer({ home });
    await server.end();
    await fill(disk);
    await assert.rejects(
      startServer({ before: server }),
      /cannot start: The disk with the server's database, \S+\.db, (is full|fails \(.+\)): make room there/,
    );
    await makeRoom(disk);
    await (await startServer({ before: server })).stop();
  });
});

/** A session of every kind, and one that was open before the disk was full. */
async function servesAllKinds(agent: TestAgent | undefined, full?: string): Promise<void> {
  assert.ok(agent);
  await until("the engine's answer", async () => (await agent.fetch("/readyz")).ok);
  const neighbour = await Neighbour.start(agent, CONTAINER);
  if (full) await fill(full);
  const client = connectTo(agent);
  await closeAll(await openAll(client, CONTAINER));
  await client.close();
  await neighbour.stop();
  await carries(agent, 0);
  for (const probe of ["/healthz", "/readyz"]) assert.equal((await agent.fetch(probe)).status, 200);
}

async function outcomeOf(opening: Promise<{ close(): Promise<void> }>): Promise<string> {
  try {
    await (await opening).close();
    return "open";
  } catch (error) {
    return (error as { code: string }).code;
  }
}
