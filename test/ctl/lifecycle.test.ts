/** `ctl start`, `stop`, `restart`, `rm` and `inspect` against a real agent and engine. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { parse, parseAllDocuments } from "yaml";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { runCtl } from "./ctl.ts";

const ONE = "ctl-life-one";
const TWO = "ctl-life-two";
const BOTH = [ONE, TWO];

suite("ctl start, stop, restart, rm and inspect", () => {
  let engine: Engine;
  let agent: TestAgent;

  before(async () => {
    engine = await sharedEngine();
    for (const name of BOTH) await engine.run(name, { args: ["-v", "/data"] });
    agent = await startAgent({ engine });
  });

  after(async () => {
    await agent?.stop();
    await engine?.docker("rm", "--force", "--volumes", ...BOTH).catch(() => {});
  });

  const said = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCtl(agent, args);
    return { code, out: stdout.toString(), err: stderr };
  };
  const state = (name: string) => engine.docker("inspect", "--format", "{{.State.Status}}", name);

  test("stop and start take several containers and name each when it is done", async () => {
    assert.deepEqual(await said("stop", "-t", "5", ...BOTH), { code: 0, out: `${ONE}\n${TWO}\n`, err: "" });
    assert.deepEqual(await Promise.all(BOTH.map(state)), ["exited", "exited"]);
    assert.deepEqual(await said("start", TWO, ONE), { code: 0, out: `${TWO}\n${ONE}\n`, err: "" });
    assert.deepEqual(await Promise.all(BOTH.map(state)), ["running", "running"]);
  });

  test("restart gives a container a new start", async () => {
    const started = () => engine.docker("inspect", "--format", "{{.State.StartedAt}}", ONE);
    const before = await started();
    assert.deepEqual(await said("restart", "--time", "0", ONE), { code: 0, out: `${ONE}\n`, err: "" });
    assert.notEqual(await started(), before);
  });

  test("one that fails does not keep the others from it, and shows in the exit code", async () => {
    const { code, out, err } = await said("restart", "-t", "0", "ctl-life-none", ONE);
    assert.deepEqual([code, out], [125, `${ONE}\n`]);
    assert.match(err, /^ctl: ctl-life-none: No container "ctl-life-none" here[^\n]*\n$/);
  });

  test("a time that is no number of seconds is a mistake", async () => {
    for (const time of ["-1", "1s", "3601"]) assert.equal((await said("stop", `--time=${time}`, ONE)).code, 2, time);
    assert.equal(await state(ONE), "running");
  });

  test("inspect shows one container as JSON, YAML or its name, and several one after the other", async () => {
    const { code, out } = await said("inspect", ONE);
    const detail = JSON.parse(out) as Record<string, unknown>;
    assert.deepEqual([code, detail["name"], detail["state"], detail["restartPolicy"]], [0, ONE, "running", "no"]);
    assert.ok(!out.includes("PATH="));
    const yaml = parse((await said("inspect", "-o", "yaml", ONE)).out) as Record<string, unknown>;
    assert.deepEqual({ ...yaml, status: "" }, { ...detail, status: "" });
    const documents = parseAllDocuments((await said("inspect", "-o", "yaml", ...BOTH)).out);
    assert.deepEqual(
      documents.map((document) => (document.toJS() as { name: string }).name),
      BOTH,
    );
    assert.equal((await said("inspect", "-o", "name", ...BOTH)).out, `${ONE}\n${TWO}\n`);
  });

  test("rm refuses what runs and says what to do, and obeys force", async () => {
    const { code, out, err } = await said("rm", ONE);
    assert.deepEqual([code, out], [125, ""]);
    assert.match(
      err,
      /^ctl: The container "ctl-life-one" is running; stop it first, or .* \(ctl rm -f, force=true\)\.\n$/,
    );
    const volume = await engine.docker("inspect", "--format", "{{(index .Mounts 0).Name}}", ONE);
    assert.deepEqual(await said("rm", "-fv", ONE), { code: 0, out: `${ONE}\n`, err: "" });
    assert.equal(await engine.docker("volume", "ls", "--quiet", "--filter", `name=${volume}`), "");
    await engine.docker("kill", TWO);
    assert.deepEqual(await said("rm", TWO), { code: 0, out: `${TWO}\n`, err: "" });
    assert.equal((await said("inspect", TWO)).code, 125);
  });
});
