/** Fills the disks that the agent writes to: it says so as far as it can, and goes on serving. */

import assert from "node:assert/strict";
import { mkdtemp, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { auditFiles } from "../../src/audit/files.ts";
import { verify } from "../../src/audit/verify.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { recordsIn } from "../support/audit.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { closeAll, MAIN, openAll } from "./kinds.ts";
import { Neighbour } from "./neighbour.ts";
import { fill, makeRoom, mountDisk, unmount } from "./small-disk.ts";
import { carries, connectTo } from "./stage.ts";

const CONTAINER = "fault-disk";

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
