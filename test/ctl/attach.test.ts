import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { guarded, runCtl, startCtl, TerminalRun } from "./ctl.ts";

suite("ctl attach", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
  });
  after(() => agent.stop());

  async function remove(...names: string[]): Promise<void> {
    await engine.docker("rm", "--force", ...names);
  }

  test("what is typed goes in, what is written comes out, and the exit code is the container's", async () => {
    await engine.run("ctl-reader", {
      args: ["-i"],
      command: ["sh", "-c", "read a; echo got $a; echo oops >&2; exit 6"],
    });
    const { code, stdout, stderr } = await runCtl(agent, ["attach", "ctl-reader"], "word\n");
    assert.deepEqual([code, stdout.toString(), stderr], [6, "got word\n", "oops\n"]);
    await remove("ctl-reader");
  });

  test("--no-stdin only looks", async () => {
    await engine.run("ctl-reader", { args: ["-i"], command: ["sh", "-c", "while sleep 0.1; do echo tick; done"] });
    const run = startCtl(agent, "attach", "--no-stdin", "ctl-reader");
    await run.says(/tick\n/);
    run.child.kill("SIGINT");
    assert.equal((await run.ended).code, 130);
    assert.equal(await engine.docker("inspect", "--format", "{{.State.Running}}", "ctl-reader"), "true");
    await remove("ctl-reader");
  });

  test("the detach keys leave a shell running, with the terminal as it was", async () => {
    await engine.run("ctl-shell", { args: ["-i", "-t"], command: ["sh"] });
    using terminal = new TerminalRun(agent, guarded("attach", "ctl-shell"));
    terminal.type("echo a$((1+1))b\r");
    await terminal.shows(/a2b/);
    terminal.type("\u0010\u0011");
    await terminal.shows(/ctl: Detached.*\r\n\[terminal same, code 0\]/);
    assert.equal(await engine.docker("inspect", "--format", "{{.State.Running}}", "ctl-shell"), "true");
    await remove("ctl-shell");
  });

  test("a terminal that only shows characters is not told to forget what a program left on", async () => {
    await engine.run("ctl-shell", { args: ["-i", "-t"], command: ["sh"] });
    using terminal = new TerminalRun(agent, `export TERM=dumb; ${guarded("attach", "ctl-shell")}`);
    terminal.type("echo a$((1+1))b\r");
    await terminal.shows(/a2b/);
    terminal.type("\u0010\u0011");
    const [shown] = await terminal.shows(/[^]*ctl: Detached.*\r\n\[terminal same, code 0\]/);
    assert.ok(!shown.includes("[?"), JSON.stringify(shown));
    await remove("ctl-shell");
  });

  test("other detach keys can be named, and the usual ones then go through", async () => {
    await engine.run("ctl-shell", {
      args: ["-i", "-t"],
      command: ["sh", "-c", "stty raw -echo; od -An -v -tx1 -w1"],
    });
    using terminal = new TerminalRun(agent, guarded("attach", "--detach-keys", "ctrl-x,q", "ctl-shell"));
    // Not delivered before the terminal over there is raw: until then it would wait for Enter.
    terminal.type("a");
    await terminal.shows(/ 61\n/);
    terminal.type("\u0010\u0011\u0018z");
    for (const byte of ["10", "11", "18", "7a"]) await terminal.shows(new RegExp(` ${byte}\n`));
    terminal.type("\u0018q");
    await terminal.shows(/\[terminal same, code 0\]/);
    await remove("ctl-shell");
  });

  test("keys that are none are a mistake on the command line", async () => {
    const { code, stderr } = await runCtl(agent, ["attach", "--detach-keys", "ctrl-1", "x"]);
    assert.equal(code, 2);
    assert.match(stderr, /"ctrl-1" is not a key/);
  });

  test("signals are passed on to a container without a terminal", async () => {
    await engine.run("ctl-trap", {
      command: ["sh", "-c", "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; echo .; done"],
    });
    const run = startCtl(agent, "attach", "ctl-trap");
    await run.says(/\./);
    run.child.kill("SIGTERM");
    const { code, stdout } = await run.ended;
    assert.equal(code, 9);
    assert.match(stdout.toString(), /caught\n/);
    await remove("ctl-trap");
  });

  test("a main process that ignores signals is let go of at the third", async () => {
    await engine.run("ctl-trap", { command: ["sh", "-c", "trap 'echo no' INT; while :; do sleep 0.05; echo .; done"] });
    const run = startCtl(agent, "attach", "ctl-trap");
    await run.says(/\./);
    for (const heard of [/no\n/, /no\n[^]*no\n/]) {
      run.child.kill("SIGINT");
      await run.says(heard);
    }
    run.child.kill("SIGINT");
    assert.equal((await run.ended).code, 130);
    assert.equal(await engine.docker("inspect", "--format", "{{.State.Running}}", "ctl-trap"), "true");
    await remove("ctl-trap");
  });

  test("a closed terminal leaves the container alone", async () => {
    await engine.run("ctl-talker", { command: ["sh", "-c", "trap 'exit 1' HUP; while sleep 0.05; do echo .; done"] });
    using terminal = new TerminalRun(agent, guarded("attach", "ctl-talker"));
    await terminal.shows(/\./);
    terminal.close();
    await terminal.exited;
    assert.equal(await engine.docker("inspect", "--format", "{{.State.Running}}", "ctl-talker"), "true");
    await remove("ctl-talker");
  });

  test("a container that does not run is an error in words", async () => {
    await engine.docker("create", "--name", "ctl-talker", "busybox", "true");
    const { code, stderr } = await runCtl(agent, ["attach", "ctl-talker"]);
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: .*ctl-talker.*\n$/);
    await remove("ctl-talker");
  });
});
