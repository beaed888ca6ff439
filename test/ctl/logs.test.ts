import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { runCtl, runShell, shellWords, startCtl, TerminalRun } from "./ctl.ts";
import { Gate } from "./gate.ts";

suite("ctl logs", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    const lines = "for i in 1 2 3 4 5; do echo out $i; sleep 0.01; echo err $i >&2; sleep 0.01; done; sleep 1000000";
    await engine.run("ctl-logs", { command: ["sh", "-c", lines] });
    await engine.run("ctl-logs-b", { command: ["sh", "-c", "printf 'one\\ntwo\\nno newline'"] });
    await engine.run("ctl-logs-big", { command: ["sh", "-c", "seq 1 200000; sleep 1000000"] });
    for (const [name, last] of [
      ["ctl-logs", "err 5"],
      ["ctl-logs-b", "no newline"],
      ["ctl-logs-big", "200000"],
    ] as const)
      while (!(await said(name, last)));
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-logs", "ctl-logs-b", "ctl-logs-big");
  });

  async function said(name: string, words: string): Promise<boolean> {
    const { stdout, stderr } = await runCtl(agent, ["logs", "--tail", "3", name]);
    return `${stdout.toString()}${stderr}`.includes(words);
  }

  test("what went to standard error goes to standard error", async () => {
    const { code, stdout, stderr } = await runCtl(agent, ["logs", "ctl-logs"]);
    assert.equal(code, 0);
    assert.equal(stdout.toString(), "out 1\nout 2\nout 3\nout 4\nout 5\n");
    assert.equal(stderr, "err 1\nerr 2\nerr 3\nerr 4\nerr 5\n");
  });

  test("one stream alone", async () => {
    const out = await runCtl(agent, ["logs", "--stdout", "ctl-logs"]);
    assert.deepEqual([out.stdout.toString().length > 0, out.stderr], [true, ""]);
    const err = await runCtl(agent, ["logs", "--stderr", "ctl-logs"]);
    assert.deepEqual([err.stdout.length, err.stderr.length > 0], [0, true]);
  });

  test("--tail counts from the end, and all is all", async () => {
    assert.equal((await runCtl(agent, ["logs", "--tail", "2", "ctl-logs-big"])).stdout.toString(), "199999\n200000\n");
    assert.equal((await runCtl(agent, ["logs", "-n", "0", "ctl-logs-big"])).stdout.toString(), "");
    assert.equal(
      (await runCtl(agent, ["logs", "--tail", "all", "ctl-logs-b"])).stdout.toString(),
      "one\ntwo\nno newline",
    );
  });

  test("a long log arrives whole", async () => {
    const { stdout } = await runCtl(agent, ["logs", "ctl-logs-big"]);
    assert.equal(stdout.toString(), Array.from({ length: 200_000 }, (_, i) => `${i + 1}\n`).join(""));
  });

  test("--timestamps stamps each line, and --since and --until understand such a stamp", async () => {
    const { stdout } = await runCtl(agent, ["logs", "-t", "--stdout", "ctl-logs"]);
    const lines = stdout.toString().trimEnd().split("\n");
    for (const line of lines) assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z out \d$/);
    const [third = ""] = lines[2]?.split(" ") ?? [];
    assert.equal(
      (await runCtl(agent, ["logs", "--stdout", "--since", third, "ctl-logs"])).stdout.toString(),
      "out 3\nout 4\nout 5\n",
    );
    const until = (await runCtl(agent, ["logs", "--stdout", "--until", third, "ctl-logs"])).stdout.toString();
    assert.match(until, /^out 1\nout 2\n(out 3\n)?$/);
  });

  test("--since takes a duration and Unix seconds", async () => {
    const lines = async (since: string) =>
      (await runCtl(agent, ["logs", "--since", since, "ctl-logs-b"])).stdout.length;
    assert.deepEqual([await lines("1h"), await lines("1"), await lines("4000000000")], [18, 18, 0]);
  });

  test("a time that is none is a mistake on the command line", async () => {
    const { code, stderr } = await runCtl(agent, ["logs", "--since", "yesterday", "ctl-logs"]);
    assert.equal(code, 2);
    assert.match(stderr, /^ctl: .*--since.*10m.*\n$/);
  });

  test("--grep keeps the lines that contain the text", async () => {
    assert.equal((await runCtl(agent, ["logs", "--grep", "t 3", "ctl-logs"])).stdout.toString(), "out 3\n");
  });

  test("Ctrl-C ends the following of several without a word", async () => {
    const run = startCtl(agent, "logs", "-f", "--tail", "1", "ctl-logs", "ctl-logs-big");
    await run.says(/^ctl-logs +\| err 5\n/m);
    await run.says(/^ctl-logs-big \| 200000\n/m);
    run.child.kill("SIGINT");
    const { code, stderr } = await run.ended;
    assert.deepEqual([code, stderr.replace(/^.*err 5\n/, "")], [130, ""]);
  });

  test("several containers have their names in front of whole lines, without colours on a pipe", async () => {
    const { stdout } = await runCtl(agent, ["logs", "--stdout", "ctl-logs", "ctl-logs-b"]);
    assert.deepEqual(stdout.toString().trimEnd().split("\n").toSorted(), [
      "ctl-logs | out 1",
      "ctl-logs | out 2",
      "ctl-logs | out 3",
      "ctl-logs | out 4",
      "ctl-logs | out 5",
      "ctl-logs-b | no newline",
      "ctl-logs-b | one",
      "ctl-logs-b | two",
    ]);
  });

  test("a container that is not there fails before anything is printed", async () => {
    const { code, stdout, stderr } = await runCtl(agent, ["logs", "ctl-logs", "nosuch"]);
    assert.deepEqual([code, stdout.length], [125, 0]);
    assert.match(stderr, /^ctl: .*nosuch.*\n$/);
  });

  test("a follow shows what comes and ends with the container", async () => {
    await engine.run("ctl-follow", {
      args: ["-i"],
      command: ["sh", "-c", "echo begun; read line; echo got $line; exit 4"],
    });
    const run = startCtl(agent, "logs", "-f", "ctl-follow");
    await run.says(/begun/);
    await runShell(agent, `echo word | ${shellWords("attach", "ctl-follow")}`);
    const { code, stdout } = await run.ended;
    assert.deepEqual([code, stdout.toString()], [0, "begun\ngot word\n"]);
    await engine.docker("rm", "--force", "ctl-follow");
  });

  test("a follow goes on without a line lost or repeated when the connection is cut again and again", async () => {
    await using gate = await Gate.open(agent.url);
    await engine.run("ctl-cut", {
      command: ["sh", "-c", "for i in $(seq 1 1500); do echo $i; [ $((i % 100)) -ne 0 ] || sleep 0.1; done"],
    });
    const env = { ...agent.env, FAIRLEAD_SERVER: gate.url, FAIRLEAD_TOKEN: agent.token };
    const run = startCtl({ env }, "logs", "-f", "ctl-cut");
    let bytes = 0;
    run.child.stdout.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes < 1_000) return;
      bytes = 0;
      gate.cut();
      gate.mend();
    });
    const { code, stdout } = await run.ended;
    assert.equal(code, 0);
    assert.equal(stdout.toString(), Array.from({ length: 1500 }, (_, i) => `${i + 1}\n`).join(""));
    await engine.docker("rm", "--force", "ctl-cut");
  });

  test("a follow goes on when the agent is killed and started again", async () => {
    const first = await startAgent({ engine });
    await using gate = await Gate.open(first.url);
    await engine.run("ctl-restart", { args: ["-i"], command: ["sh", "-c", "echo 1; echo 2; read x; echo 3; echo 4"] });
    const env = { ...first.env, FAIRLEAD_SERVER: gate.url, FAIRLEAD_TOKEN: first.token };
    const run = startCtl({ env }, "logs", "-f", "ctl-restart");
    await new Promise<void>((resolve) => {
      let seen = "";
      run.child.stdout.on("data", (chunk: Buffer) => {
        seen += chunk.toString();
        if (seen.includes("2\n")) resolve();
      });
    });
    first.kill("SIGKILL");
    await first.exited;
    const second = await startAgent({ engine, home: first.home });
    gate.lead(second.url);
    await runShell({ env: second.env }, `echo go | ${shellWords("attach", "ctl-restart")}`);
    const { code, stdout } = await run.ended;
    assert.deepEqual([code, stdout.toString()], [0, "1\n2\n3\n4\n"]);
    await second.stop();
    await engine.docker("rm", "--force", "ctl-restart");
  });

  test("on a terminal colours pass and every other control character is shown, with --raw obeyed, on a pipe each byte kept", async () => {
    const printed = "\u001b[31mred\u001b[0m \u001b]0;title\u0007 \u001b[2Jend\n";
    const command = ["sh", "-c", `printf '${printed.replaceAll("\u001b", "\\033").replace("\u0007", "\\007")}'`];
    await engine.run("ctl-logs-esc", { command });
    const env = { ...agent.env, NO_COLOR: "" };
    const screen = async (words: string, own = env) => {
      using terminal = new TerminalRun({ env: own }, words);
      await terminal.exited;
      return terminal.screen;
    };
    const logs = (...flags: string[]) => shellWords("logs", ...flags, "ctl-logs-esc");
    await until("the line", async () => (await runCtl(agent, ["logs", "ctl-logs-esc"])).stdout.toString() === printed);
    assert.equal(await screen(logs()), "\u001b[31mred\u001b[0m ␛]0;title␇ ␛[2Jend\r\n");
    assert.equal(await screen(logs(), { ...env, NO_COLOR: "1" }), "␛[31mred␛[0m ␛]0;title␇ ␛[2Jend\r\n");
    assert.equal(await screen(logs("--raw")), printed.replace("\n", "\r\n"));
    await engine.docker("rm", "--force", "ctl-logs-esc");
  });

  test("Ctrl-C ends a follow", async () => {
    const run = startCtl(agent, "logs", "-f", "ctl-logs");
    await run.says(/out 5/);
    run.child.kill("SIGINT");
    assert.equal((await run.ended).code, 130);
  });

  test("a reader that leaves ends it quietly", async () => {
    const script = `${shellWords("logs", "ctl-logs-big")} | head -1; echo "code \${PIPESTATUS[0]}"`;
    const { stdout, stderr } = await runShell(agent, script);
    assert.deepEqual([stdout.toString(), stderr], ["1\ncode 141\n", ""]);
  });

  test("a full disk is an error in words, however little is written last", async () => {
    for (const words of [
      ["logs", "ctl-logs-big"],
      ["logs", "--tail", "1", "ctl-logs-big"],
      ["ps"],
      ["help"],
      ["--version"],
    ]) {
      const { code, stderr } = await runShell(agent, `${shellWords(...words)} > /dev/full`);
      assert.equal(code, 125, words.join(" "));
      assert.match(stderr, /^ctl: The output could not be written: the disk is full.*\n$/, words.join(" "));
    }
  });

  test("messages that nobody can read change nothing of how it ends", async () => {
    const { code } = await runShell(agent, `${shellWords("-v", "ps", "-o", "name")} 2> /dev/full`);
    assert.equal(code, 0);
  });
});
