/** Who is taken out of the configuration is out of the agent, while everybody else goes on. */

import assert from "node:assert/strict";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { newSecret } from "../../src/auth/secret.ts";
import { runCtl, startCtl } from "../ctl/ctl.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";

const CONTAINER = "grants-watch";

suite("grants in the configuration's file", () => {
  const people = { stays: newSecret(), goes: newSecret(), loses: newSecret(), comes: newSecret() };
  type Person = keyof typeof people;
  let engine: Engine;
  let agent: TestAgent;
  let file: string;

  const entry = (name: Person, rights = ["list", "exec"]) => ({ name, token: people[name], rights });
  const write = async (text: string) => {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  };
  const configure = (grants: object[]) => write(JSON.stringify({ grants }));
  const as = (name: Person) => ({ env: { ...agent.env, FAIRLEAD_SERVER: agent.url, FAIRLEAD_TOKEN: people[name] } });
  const mayList = async (name: Person) => (await runCtl(as(name), ["ps", "-o", "name"])).code === 0;

  before(async () => {
    engine = await sharedEngine();
    await engine.run(CONTAINER);
    agent = await startAgent({ engine });
    file = join(agent.home, "config.yaml");
  });
  after(async () => {
    await agent?.stop();
    await engine?.docker("rm", "--force", CONTAINER).catch(() => undefined);
  });

  test("hold within seconds: who came is let in, who was taken out or lost a right is out, and nobody else is touched", async () => {
    await configure([entry("stays"), entry("goes"), entry("loses")]);
    await until("all three", () => mayList("loses"));
    const shell = async (name: Person) => {
      const session = startCtl(as(name), "exec", "-i", CONTAINER, "cat");
      session.child.stdin.write("here\n");
      await session.says(/here/);
      return session;
    };
    const [stays, goes, loses] = [await shell("stays"), await shell("goes"), await shell("loses")];
    await configure([entry("stays"), entry("loses", ["list"]), entry("comes")]);
    for (const out of [goes, loses]) {
      const { code, stderr } = await out.ended;
      assert.notEqual(code, 0);
      assert.match(stderr, /withdrawn/);
    }
    await until("the new one", () => mayList("comes"));
    assert.deepEqual([await mayList("goes"), await mayList("loses")], [false, true]);
    stays.child.stdin.end("still here\n");
    assert.equal((await stays.ended).stdout.toString(), "here\nstill here\n");
  });

  test("stay as they were while the file has mistakes, of which the log tells once", async () => {
    await configure([entry("stays")]);
    await until("one", async () => !(await mayList("comes")));
    await write("grants: [{name: stays, token: short, rights: [list]}]");
    await until("the complaint", () => /grants cannot be taken over/.test(agent.log()));
    assert.ok(await mayList("stays"));
    await configure([entry("stays"), entry("goes")]);
    await until("another", () => mayList("goes"));
    assert.equal(agent.log().split("grants cannot be taken over").length, 2);
  });
});
