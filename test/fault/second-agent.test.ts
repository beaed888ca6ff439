/** A second agent on the state of one that runs, both of them the first process of their pid namespace, as in containers that share a volume. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { auditFiles } from "../../src/audit/files.ts";
import { verify } from "../../src/audit/verify.ts";
import { type AgentOptions, startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { NODE_FLAGS } from "../support/node.ts";
import { Neighbour } from "./neighbour.ts";
import { carries } from "./stage.ts";

const CONTAINER = "fault-second-agent";
const MAIN = fileURLToPath(new URL("../../src/agent/main.ts", import.meta.url));
const NAMESPACE = ["--pid", "--fork", "--kill-child", "--mount-proc"];
const PROGRAM = ["unshare", ...NAMESPACE, process.execPath, ...NODE_FLAGS, MAIN] as const;

suite("a second agent on the same state", () => {
  const agents: TestAgent[] = [];
  let engine: Engine;

  before(async () => {
    engine = await sharedEngine();
    await engine.run(CONTAINER);
  });
  after(async () => {
    for (const agent of agents) {
      agent.kill("SIGKILL");
      await agent.stop();
    }
    await engine?.docker("rm", "--force", CONTAINER);
  });

  async function start(options: Pick<AgentOptions, "home"> = {}): Promise<TestAgent> {
    const agent = await startAgent({ engine, program: PROGRAM, ...options });
    agents.push(agent);
    return agent;
  }

  test("does not start, and the first one's sessions, door and audit log are as they were", async () => {
    const first = await start();
    const neighbour = await Neighbour.start(first, CONTAINER);
    await neighbour.pulse();
    const error: unknown = await start({ home: first.home }).catch((cause: unknown) => cause);
    assert.ok(error instanceof Error, "it started");
    assert.match(
      error.message,
      /An agent already runs with the state in \S+ \(pid 1 on \S+, http:\S+\); end it, or give/,
    );
    await neighbour.stop();
    await carries(first, 0);
    const { url } = JSON.parse(await readFile(`${first.stateDir}/agent.json`, "utf8")) as { url: string };
    assert.equal(url, first.url);
    assert.deepEqual((await verify(await auditFiles(`${first.stateDir}/log`))).faults, []);
  });
});
