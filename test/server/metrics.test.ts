/** The real server's figures, with a host that is real and one that is still to come. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { documented, figuresOf, namesOf } from "../support/figures.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { runCtl } from "../ctl/ctl.ts";

const NAME = "server-metrics";

suite("the server's metrics", () => {
  let engine: Engine;
  let server: TestServer;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    await engine.run(NAME);
    server = await startServer({ flags: ["--heartbeat-interval", "1s"] });
    await server.post("/api/v1/nodes", { name: "later" });
    const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: "box" });
    agent = await startAgent({ engine, flags: ["-S", server.url, "--token", token] });
  });
  after(async () => {
    await agent?.stop();
    await server?.stop();
    await engine?.docker("rm", "--force", NAME);
  });

  const ctl = (...args: string[]) =>
    runCtl({ env: { FAIRLEAD_SERVER: server.url, FAIRLEAD_TOKEN: server.token } }, args);

  test("are those that docs/metrics.md describes, and no others", async () => {
    assert.deepEqual((await namesOf(server)).toSorted(), documented("Both", "The server").toSorted());
  });

  test("count hosts by status, reports, and the database's work", async () => {
    const figures = await until("a host that reports and is connected", async () => {
      const now = await figuresOf(server);
      return now("fairlead_agents_connected") === 1 && now("fairlead_beats_total") >= 2 && now;
    });
    assert.equal(figures(`fairlead_nodes{status="Ready"}`), 1);
    assert.equal(figures(`fairlead_nodes{status="Pending"}`), 1);
    assert.equal(figures(`fairlead_nodes{status="NotReady"}`), 0);
    for (const name of ["commits_total", "commit_seconds_total", "size_bytes"])
      assert.ok(figures(`fairlead_database_${name}`) > 0, name);
  });

  test("count what is passed on and what is not, and the agent tells how it stands with the server", async () => {
    assert.equal((await ctl("exec", `box:${NAME}`, "head", "-c", "10000", "/dev/zero")).code, 0);
    assert.equal((await ctl("exec", `later:${NAME}`, "true")).code, 125);
    const figures = await until("channels that have closed", async () => {
      const now = await figuresOf(server);
      return now("fairlead_relayed_channels") === 0 && now;
    });
    assert.equal(figures(`fairlead_relayed_sessions_total{kind="exec"}`), 1);
    assert.equal(figures(`fairlead_relayed_refusals_total{kind="exec",code="agent-away"}`), 1);
    assert.ok(figures(`fairlead_relayed_bytes_total{direction="out"}`) >= 10_000);
    const own = await figuresOf(agent);
    assert.equal(own(`fairlead_uplink_state{state="connected"}`), 1);
    assert.equal(own(`fairlead_uplink_state{state="refused"}`), 0);
    assert.equal(own("fairlead_uplink_sessions"), 1);
  });
});
