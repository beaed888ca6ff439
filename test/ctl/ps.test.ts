import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { parse } from "yaml";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { runCtl, startCtl } from "./ctl.ts";

suite("ctl ps, version, sign-in and help", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    const labels = ["--label", "com.docker.compose.project=ps-shop", "--label", "com.docker.compose.service=web"];
    await engine.run("ctl-ps-up", { args: [...labels, "--publish", "127.0.0.1::80"] });
    await engine.run("ctl-ps-down");
    await engine.docker("stop", "ctl-ps-down");
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-ps-up", "ctl-ps-down");
  });

  async function names(...options: string[]): Promise<string[]> {
    const { code, stdout } = await runCtl(agent, ["ps", "-o", "name", ...options]);
    assert.equal(code, 0);
    return stdout.toString().trimEnd().split("\n");
  }

  test("shows name, image, state, project, ports and age of what runs", async () => {
    const { stdout } = await runCtl(agent, ["ps"]);
    const [head = "", ...rows] = stdout.toString().split("\n");
    assert.match(head, /^NAME +IMAGE +STATE +PROJECT +PORTS +AGE$/);
    assert.match(
      rows.find((row) => row.startsWith("ctl-ps-up ")) ?? "",
      /^ctl-ps-up +busybox +running +ps-shop +127\.0\.0\.1:\d+->80\/tcp +\d+[smh]$/,
    );
    assert.ok(!rows.some((row) => row.startsWith("ctl-ps-down")));
  });

  test("shows what the engine has just done", async () => {
    const names = async () => {
      const answer = await fetch(new URL("/api/v1/containers", agent.url), {
        headers: { authorization: `Bearer ${agent.token}` },
      });
      const { containers } = (await answer.json()) as { containers: { name: string }[] };
      return containers.map(({ name }) => name);
    };
    for (let round = 0; round < 3; round++) {
      await engine.run("ctl-ps-new");
      assert.ok((await names()).includes("ctl-ps-new"));
      await engine.docker("rm", "--force", "ctl-ps-new");
      assert.ok(!(await names()).includes("ctl-ps-new"));
    }
  });

  test("of an agent knows its own host alone, and says so of every other", async () => {
    for (const words of ["ps --node other", "ps --all-nodes", "get nodes", "tokens list", "stop other:ctl-ps-up"]) {
      const { code, stderr } = await runCtl(agent, words.split(" "));
      assert.equal(code, 125, words);
      assert.match(stderr, /^ctl: (\S+: )?\S+ is an agent, and knows its own host alone\./, words);
    }
    for (const words of ["exec other:ctl-ps-up true", "logs other:ctl-ps-up"]) {
      const { code, stderr } = await runCtl(agent, words.split(" "));
      assert.equal(code, 125, words);
      assert.match(stderr, /No host "other" here: this is the agent of "/, words);
    }
  });

  test("-a shows what does not run too", async () => {
    assert.ok(!(await names()).includes("ctl-ps-down"));
    assert.ok((await names("-a")).includes("ctl-ps-down"));
  });

  test("-l shows those with the labels alone", async () => {
    const project = "com.docker.compose.project";
    assert.deepEqual(await names("-l", `${project}=ps-shop`), ["ctl-ps-up"]);
    assert.deepEqual(await names("-a", "--selector", `${project}=,com.docker.compose.service=web`), ["ctl-ps-up"]);
    assert.deepEqual(await names("-l", `${project}=another`), [""]);
    const { code, stderr } = await runCtl(agent, ["ps", "-l", "shop"]);
    assert.deepEqual([code, /Labels are written NAME=VALUE/.test(stderr)], [2, true]);
  });

  test("-o json and -o yaml are what the agent says, for programs", async () => {
    const { stdout } = await runCtl(agent, ["ps", "-a", "-o", "json"]);
    const list = JSON.parse(stdout.toString()) as { name: string; state: string; service?: string; id: string }[];
    const up = list.find(({ name }) => name === "ctl-ps-up");
    assert.deepEqual([up?.state, up?.service, up?.id.length], ["running", "web", 64]);
    const yaml = await runCtl(agent, ["ps", "-a", "-o", "yaml"]);
    assert.deepEqual(
      (parse(yaml.stdout.toString()) as { id: string }[]).map(({ id }) => id),
      list.map(({ id }) => id),
    );
  });

  test("-o wide shows the id, the service and the command too", async () => {
    const { stdout } = await runCtl(agent, ["ps", "-o", "wide"]);
    assert.match(stdout.toString(), /^NAME .* ID +SERVICE +STATUS +NETWORKS +COMMAND$/m);
    assert.match(stdout.toString(), /^ctl-ps-up .* [0-9a-f]{12} +web.* +Up .* sleep 1000000$/m);
  });

  test("--watch goes on with each container that changes", async () => {
    const run = startCtl(agent, "ps", "--watch", "-o", "name");
    await run.says(/ctl-ps-up\n/);
    await engine.run("ctl-ps-new");
    await run.says(/ctl-ps-new\n/);
    run.child.kill("SIGINT");
    await run.ended;
    const table = startCtl(agent, "ps", "--watch");
    await table.says(/ctl-ps-new /);
    await engine.docker("rm", "--force", "ctl-ps-new");
    await table.says(/ctl-ps-new +busybox +removed/);
    table.child.kill("SIGINT");
    const { stdout } = await table.ended;
    assert.equal(stdout.toString().split("NAME ").length, 2);
  });

  test("version tells both sides, and only its own when there is no agent", async () => {
    const both = await runCtl(agent, ["version", "-o", "json"]);
    const { client, server } = JSON.parse(both.stdout.toString()) as Record<string, { version: string }>;
    assert.equal(client?.version, server?.version);
    assert.match((await runCtl(agent, ["version"])).stdout.toString(), /^ctl +\d.*\nserver +\d.* on .*\n$/);
    const alone = await runCtl({ env: { ...agent.env, XDG_STATE_HOME: "/nonexistent" } }, ["version"]);
    assert.equal(alone.code, 125);
    assert.match(alone.stdout.toString(), /^ctl +\d[^\n]*\n$/);
    assert.match(alone.stderr, /^ctl: No agent .*npm start.*\n$/);
  });

  test("sign-in prints a link that signs in once", async () => {
    const { stdout } = await runCtl(agent, ["sign-in"]);
    const link = new URL(stdout.toString().trim());
    assert.equal(link.origin, agent.url);
    const code = new URLSearchParams(link.hash.slice(1)).get("code");
    const signIn = () =>
      fetch(`${agent.url}/api/v1/sign-in`, {
        method: "POST",
        body: JSON.stringify({ code }),
        headers: { "content-type": "application/json", origin: agent.url },
      });
    assert.deepEqual([(await signIn()).status, (await signIn()).status], [200, 401]);
  });

  test("help explains a command of a command, and says so of one that there is not", async () => {
    assert.match((await runCtl(agent, ["help", "context", "use"])).stdout.toString(), /^Usage: ctl context use /);
    assert.match((await runCtl(agent, ["help", "nodes", "ls"])).stdout.toString(), /^Usage: ctl nodes list/);
    assert.match((await runCtl(agent, ["help", "ps", "web"])).stdout.toString(), /^Usage: ctl ps /);
    for (const [words, told] of [
      ["help pss", "ctl: Unknown command 'pss' (Did you mean ps?) Try --help.\n"],
      ["help context used", "ctl: Unknown command 'used' (Did you mean use?) Try --help.\n"],
    ] as const) {
      const { code, stdout, stderr } = await runCtl(agent, words.split(" "));
      assert.deepEqual([code, stdout.toString(), stderr], [2, "", told]);
    }
  });

  test("help explains every command with examples", async () => {
    const { code, stdout } = await runCtl(agent, ["help"]);
    assert.equal(code, 0);
    const commands = [
      "ps",
      "logs",
      "exec",
      "attach",
      "port-forward",
      "start",
      "stop",
      "restart",
      "rm",
      "inspect",
      "top",
      "shell",
      "completion",
      "events",
    ];
    for (const command of [...commands, "sign-in", "version"]) {
      assert.ok(stdout.toString().includes(`\n  ${command}`), command);
      const one = await runCtl(agent, ["help", command]);
      assert.match(one.stdout.toString(), new RegExp(`^Usage: ctl ${command} [^]*\nExamples:\n  ctl ${command}`));
    }
  });

  test("a command that does not exist is a mistake, with the one that was meant", async () => {
    const { code, stderr } = await runCtl(agent, ["log", "x"]);
    assert.equal(code, 2);
    assert.match(stderr, /^ctl: Unknown command 'log' \(Did you mean logs\?\).*\n$/);
  });

  test("-v explains on standard error, before or after the command, and never shows the token", async () => {
    for (const words of [
      ["-v", "ps", "-o", "name"],
      ["ps", "-o", "name", "-v"],
    ]) {
      const { stdout, stderr } = await runCtl(agent, words);
      assert.match(stderr, new RegExp(`the server is ${agent.url}/ \\(from .*agent\\.json\\)`));
      assert.ok(!`${stdout.toString()}${stderr}`.includes(agent.token));
    }
  });
});
