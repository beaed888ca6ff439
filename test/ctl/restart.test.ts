/** An agent is told to end and another one takes its place: what is open hears it at once, and what can move on does. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { freePort } from "../support/free-port.ts";
import { guarded, startCtl, TerminalRun } from "./ctl.ts";

const CONTAINER = "ctl-restart";
const COUNTING = "i=0; while :; do i=$((i+1)); echo line $i; sleep 0.02; done";
/** Longer than any test waits: who waits for it fails. */
const GRACE = "5m";

suite("an agent that is restarted", () => {
  let engine: Engine;
  let agent: TestAgent;
  let port: number;
  const start = async (home?: string) =>
    startAgent({ engine, port, flags: ["--shutdown-grace", GRACE], ...(home !== undefined && { home }) });

  before(async () => {
    engine = await sharedEngine();
    port = await freePort();
    agent = await start();
    await engine.run(CONTAINER, { command: ["sh", "-c", COUNTING] });
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", CONTAINER);
  });

  test("a followed log does not hold the agent up, and goes on with the next one as if nothing had been", async () => {
    const ctl = startCtl(agent, "logs", "-f", CONTAINER);
    await ctl.says(/^line 20$/m);
    agent.kill("SIGTERM");
    assert.equal(await agent.exited, 0);
    agent = await start(agent.home);
    const [, last] = await ctl.says(/line (\d+)\n$/);
    await ctl.says(new RegExp(`^line ${Number(last) + 50}$`, "m"));
    ctl.child.kill("SIGINT");
    const { stdout, stderr } = await ctl.ended;
    const lines = stdout.toString().trimEnd().split("\n");
    assert.deepEqual(
      lines,
      lines.map((_, i) => `line ${i + 1}`),
    );
    assert.equal(stderr, "");
  });

  test("a terminal is told how long it has, and finishes what it was at", async () => {
    using terminal = new TerminalRun(agent, guarded("exec", "-it", CONTAINER, "sh"));
    await terminal.shows(/# /);
    agent.kill("SIGTERM");
    await terminal.shows(/\[fairlead: .*shutting down.*; this session ends in 5m\]/);
    terminal.type("exit 3\r");
    await terminal.shows(/\[terminal same, code 3\]/);
    assert.equal(await agent.exited, 0);
    agent = await start(agent.home);
  });
});
