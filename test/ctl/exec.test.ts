import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { runCtl, runShell, shellWords, startCtl } from "./ctl.ts";

suite("ctl exec", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    await engine.run("ctl-exec", {
      args: ["--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.service=cart"],
    });
    await engine.run("ctl-exec-2", {
      args: ["--label", "com.docker.compose.project=shop", "--label", "com.docker.compose.service=cart"],
    });
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-exec", "ctl-exec-2");
  });

  test("the exit code is the command's", async () => {
    for (const code of [0, 3, 137])
      assert.equal((await runCtl(agent, ["exec", "ctl-exec", "sh", "-c", `exit ${code}`])).code, code);
  });

  test("a command ended by a signal has 128 and the signal's number", async () => {
    assert.equal((await runCtl(agent, ["exec", "ctl-exec", "sh", "-c", "kill -KILL $$"])).code, 137);
  });

  test("a command that does not exist is 127 and told in the engine's words", async () => {
    const { code, stderr } = await runCtl(agent, ["exec", "ctl-exec", "nosuch"]);
    assert.equal(code, 127);
    assert.match(stderr, /^ctl: .*nosuch.*not found.*\n$/);
  });

  test("a file that is no program is 126", async () => {
    const { code, stderr } = await runCtl(agent, ["exec", "ctl-exec", "/etc"]);
    assert.equal(code, 126);
    assert.match(stderr, /^ctl: .*permission denied.*\n$/);
  });

  test("standard output and standard error stay apart", async () => {
    const { stdout, stderr } = await runCtl(agent, ["exec", "ctl-exec", "sh", "-c", "echo out; echo err >&2"]);
    assert.deepEqual([stdout.toString(), stderr], ["out\n", "err\n"]);
  });

  test("every byte value goes through and comes back, a megabyte of them", async () => {
    const all = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, i) => i)), randomBytes(1_048_576)]);
    const { code, stdout } = await runCtl(agent, ["exec", "-i", "ctl-exec", "cat"], all);
    assert.equal(code, 0);
    assert.equal(createHash("sha256").update(stdout).digest("hex"), createHash("sha256").update(all).digest("hex"));
  });

  test("the end of input arrives, and the answer after it", async () => {
    const { stdout } = await runCtl(agent, ["exec", "-i", "ctl-exec", "wc", "-c"], "x".repeat(100_000));
    assert.equal(stdout.toString().trim(), "100000");
  });

  test("without -i standard input is left alone", async () => {
    const words = shellWords("exec", "ctl-exec", "true");
    const { stdout } = await runShell(
      agent,
      `printf 'one\\ntwo\\n' | while read line; do ${words}; echo "$line"; done`,
    );
    assert.equal(stdout.toString(), "one\ntwo\n");
  });

  test("a directory goes in and comes out with tar", async () => {
    const directory = await mkdtemp(join(tmpdir(), "fl-tar-"));
    const content = randomBytes(3_000_000);
    await writeFile(join(directory, "file"), content);
    const into = shellWords("exec", "-i", "ctl-exec", "sh", "-c", "mkdir -p /srv && tar x -C /srv");
    const from = shellWords("exec", "ctl-exec", "tar", "c", "-C", "/srv", "file");
    const script = `set -o pipefail; mkdir ${directory}/back; tar c -C ${directory} file | ${into} && ${from} | tar x -C ${directory}/back`;
    assert.deepEqual(await runShell(agent, script).then(({ code, stderr }) => ({ code, stderr })), {
      code: 0,
      stderr: "",
    });
    assert.ok(content.equals(await readFile(join(directory, "back", "file"))));
    await rm(directory, { recursive: true });
  });

  test("user, directory and variables are set; a variable's value may come from here", async () => {
    const home = { env: { ...agent.env, FROM_HERE: "b c" } };
    const options = ["-u", "65534:7", "-w", "/tmp", "-e", "A=1", "--env", "FROM_HERE", "-e", "ABSENT"];
    const { stdout } = await runCtl(home, [
      "exec",
      ...options,
      "ctl-exec",
      "sh",
      "-c",
      "id -u; id -g; pwd; echo $A-$FROM_HERE-${ABSENT-no}",
    ]);
    assert.equal(stdout.toString(), "65534\n7\n/tmp\n1-b c-no\n");
  });

  test("options after the container belong to the command, with or without --", async () => {
    assert.equal((await runCtl(agent, ["exec", "ctl-exec", "echo", "-e", "-i"])).stdout.toString(), "-i\n");
    assert.equal((await runCtl(agent, ["exec", "ctl-exec", "--", "echo", "-u", "--"])).stdout.toString(), "-u --\n");
  });

  test("a container is found by its short id and by project, service and number", async () => {
    const id = await engine.docker("inspect", "--format", "{{.Id}}", "ctl-exec");
    for (const name of [id, id.slice(0, 12)]) assert.equal((await runCtl(agent, ["exec", name, "true"])).code, 0);
  });

  test("a name that fits two says which", async () => {
    const { code, stderr } = await runCtl(agent, ["exec", "shop/cart", "true"]);
    assert.equal(code, 125);
    assert.match(stderr, /ctl-exec/);
    assert.match(stderr, /ctl-exec-2/);
  });

  test("a name that fits none is an error of one line", async () => {
    const { code, stderr, stdout } = await runCtl(agent, ["exec", "nosuch", "true"]);
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: .*"nosuch".*\n$/);
    assert.equal(stdout.length, 0);
  });

  test("-t without a terminal to type on is refused before anything starts", async () => {
    const { code, stderr } = await runCtl(agent, ["exec", "-it", "ctl-exec", "sh"]);
    assert.equal(code, 2);
    assert.match(stderr, /not a terminal.*-t/);
  });

  test("the first SIGINT goes to the command, which may handle it", async () => {
    const run = startCtl(
      agent,
      "exec",
      "ctl-exec",
      "sh",
      "-c",
      "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.05; done",
    );
    await run.says(/ready/);
    run.child.kill("SIGINT");
    const { code, stdout } = await run.ended;
    assert.deepEqual([stdout.toString(), code], ["ready\ncaught\n", 9]);
  });

  test("the second SIGINT ends ctl and the command that ignored the first", async () => {
    const run = startCtl(
      agent,
      "exec",
      "ctl-exec",
      "sh",
      "-c",
      "trap 'echo no' INT; echo ready; while :; do sleep 0.05; done; echo second-sigint",
    );
    await run.says(/ready/);
    run.child.kill("SIGINT");
    await run.says(/no/);
    run.child.kill("SIGINT");
    assert.equal((await run.ended).code, 130);
    await gone(engine, "second-sigint");
  });

  test("SIGTERM ends the command too, even one that was to be kept", async () => {
    const run = startCtl(
      agent,
      "exec",
      "--on-drop",
      "keep",
      "--keep",
      "1h",
      "ctl-exec",
      "sh",
      "-c",
      "echo ready; sleep 1000; echo after-term",
    );
    await run.says(/ready/);
    run.child.kill("SIGTERM");
    assert.equal((await run.ended).code, 143);
    await gone(engine, "after-term");
  });

  test("a killed ctl leaves no command behind", async () => {
    const run = startCtl(agent, "exec", "ctl-exec", "sh", "-c", "echo ready; sleep 1000; echo after-kill");
    await run.says(/ready/);
    run.child.kill("SIGKILL");
    await gone(engine, "after-kill");
  });

  test("a reader that leaves ends it quietly", async () => {
    const script = `${shellWords("exec", "ctl-exec", "sh", "-c", "yes left-reader")} | head -1; echo "code \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runShell(agent, script);
    assert.deepEqual([stdout.toString(), stderr], ["left-reader\ncode 141\n", ""]);
    await gone(engine, "yes left-reader");
  });

  test("a slow reader gets everything", async () => {
    const script = `${shellWords("exec", "ctl-exec", "sh", "-c", "head -c 30000000 /dev/zero")} | (sleep 0.5; wc -c)`;
    assert.equal((await runShell(agent, script)).stdout.toString().trim(), "30000000");
  });

  /** Resolves when no process of the engine's containers has this in its command line. */
  async function gone(where: Engine, words: string): Promise<void> {
    const processes = () => where.docker("top", "ctl-exec", "-eo", "pid,args");
    await until(`${words} to be gone`, async () => !(await processes()).includes(words), { patience: 15_000 });
  }
});
