/** `ctl events` against a real agent and an engine of its own, which is killed. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { ContainerEventView } from "../../src/protocol/container-events.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, startEngine } from "../support/engine.ts";
import { runCtl, startCtl } from "./ctl.ts";

const EARLY = "ctl-events-early";
const LATE = "ctl-events-late";

suite("ctl events", () => {
  let engine: Engine;
  let agent: TestAgent;

  before(async () => {
    engine = await startEngine();
    await engine.run(EARLY);
    await engine.docker("kill", EARLY);
    agent = await startAgent({ engine });
  });

  after(async () => {
    await agent?.stop();
    await engine?.remove();
  });

  test("prints what happened lately, also before the agent began", async () => {
    const { code, stdout } = await runCtl(agent, ["events"]);
    const [head = "", ...rows] = stdout.toString().trimEnd().split("\n");
    assert.equal(code, 0);
    assert.match(head, /^TIME +CONTAINER +EVENT +DETAILS$/);
    const own = rows.filter((row) => row.includes(` ${EARLY} `) || row.includes(` ${EARLY}`));
    for (const event of ["create", "start", "kill +signal=9", "die +exitCode=137"])
      assert.ok(
        own.some((row) => new RegExp(`^\\d{4}-\\d\\d-\\d\\dT[\\d:]{8}\\.\\d{3}Z +${EARLY} +${event}`).test(row)),
        `${event} in ${rows.join("\n")}`,
      );
  });

  test("-o json is a list of everything, and --since and --until choose of it", async () => {
    const all = JSON.parse((await runCtl(agent, ["events", "-o", "json"])).stdout.toString()) as unknown[];
    const times = all.map((event) => ContainerEventView.parse(event).time);
    const [, second = ""] = times;
    const some = await runCtl(agent, ["events", "-o", "json", "--since", second, "--until", second]);
    const chosen = JSON.parse(some.stdout.toString()) as { time: string }[];
    assert.deepEqual(
      chosen.map(({ time }) => time),
      [second],
    );
    assert.equal((await runCtl(agent, ["events", "--since", "yesterday"])).code, 2);
    const named = await runCtl(agent, ["events", "-o", "name", "--since", second, "--until", second]);
    assert.equal(named.stdout.toString(), `${EARLY}\n`);
  });

  test("-f goes on with what happens, through an engine that is killed and comes back", async () => {
    const lines = startCtl(agent, "events", "-f");
    const json = startCtl(agent, "events", "-f", "-o", "json", "--since", "0s");
    await lines.says(new RegExp(`${EARLY} +die`));
    await engine.run(LATE);
    await lines.says(new RegExp(`${LATE} +start`));
    await json.says(new RegExp(`"action":"start".*"name":"${LATE}"`));
    await engine.kill("SIGKILL");
    await lines.says(/- +engine-away +the engine does not answer; what happens meanwhile may be missing\n/);
    await engine.start();
    await lines.says(/- +engine-back +the engine answers again\n/);
    await engine.docker("rm", "--force", LATE);
    await lines.says(new RegExp(`${LATE} +destroy`));
    await json.says(new RegExp(`"action":"destroy".*"name":"${LATE}"`));
    for (const run of [lines, json]) run.child.kill("SIGINT");
    const told = (await lines.ended).stdout.toString();
    assert.equal(told.match(new RegExp(`${LATE} +create`, "g"))?.length, 1);
    assert.equal(told.match(/^TIME /gm)?.length, 1);
    for (const line of (await json.ended).stdout.toString().trimEnd().split("\n"))
      ContainerEventView.parse(JSON.parse(line));
  });
});
