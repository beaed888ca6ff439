import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { guarded, shellWords, TerminalRun } from "./ctl.ts";
import { Gate } from "./gate.ts";

suite("ctl in a terminal", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    await engine.run("ctl-tty");
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-tty");
  });

  test("a shell has the terminal's size, follows its changes and gives it back as it was", async () => {
    using terminal = new TerminalRun(agent, guarded("exec", "-it", "ctl-tty", "sh"));
    await terminal.shows(/# /);
    terminal.type("stty size\r");
    await terminal.shows(/\r\n24 80\r\n/);
    terminal.resize(132, 50);
    terminal.type("while [ \"$(stty size)\" != '50 132' ]; do sleep 0.05; done; echo resi''zed\r");
    await terminal.shows(/resized/);
    terminal.type("exit 5\r");
    await terminal.shows(/\[terminal same, code 5\]/);
  });

  test("Ctrl-C reaches the program as a key and ctl goes on", async () => {
    using terminal = new TerminalRun(agent, guarded("exec", "-it", "ctl-tty", "sh"));
    await terminal.shows(/# /);
    terminal.type("sh -c \"echo sta''rted; sleep 1000\"\r");
    await terminal.shows(/started/);
    terminal.type("\u0003");
    await terminal.shows(/# /);
    terminal.type("echo code $?; exit\r");
    await terminal.shows(/code 130/);
    await terminal.shows(/\[terminal same, code 0\]/);
  });

  test("Ctrl-Z stops the program over there, not ctl", async () => {
    using terminal = new TerminalRun(agent, guarded("exec", "-it", "ctl-tty", "sh"));
    await terminal.shows(/# /);
    terminal.type("sh -c \"echo sta''rted; sleep 1000\"\r");
    await terminal.shows(/started/);
    terminal.type("\u001a");
    await terminal.shows(/Stopped/);
    // A shell that has stopped jobs wants to be told twice.
    terminal.type("exit 0\rexit 0\r");
    await terminal.shows(/\[terminal same, code 0\]/);
  });

  test("a program that turns keys off gets every byte that is typed", async () => {
    using terminal = new TerminalRun(
      agent,
      guarded("exec", "-it", "ctl-tty", "sh", "-c", "stty raw -echo; echo ready; head -c 5 | od -An -tx1"),
    );
    await terminal.shows(/ready/);
    terminal.type("\u0003\u001a\u001c\u0011\u007f");
    await terminal.shows(/03 1a 1c 11 7f/);
    await terminal.shows(/\[terminal same, code 0\]/);
  });

  test("the terminal is restored after kill -TERM, in the middle of a full screen", async () => {
    const command = "printf '\\033[?1049h\\033[?25lfull screen'; sleep 1000";
    using terminal = new TerminalRun(agent, guarded("exec", "-it", "ctl-tty", "sh", "-c", command));
    await terminal.shows(/full screen/);
    process.kill(await terminal.childPid("src/ctl/main.ts"), "SIGTERM");
    await terminal.shows(/\[\?1049l.*\[\?25h/);
    await terminal.shows(/\[terminal same, code 143\]/);
  });

  test("the terminal is restored and an error told when the agent is killed and does not come back", async () => {
    const own = await startAgent({ engine });
    using terminal = new TerminalRun(own, guarded("exec", "-it", "--keep", "1s", "ctl-tty", "sh"));
    await terminal.shows(/# /);
    own.kill("SIGKILL");
    await terminal.shows(/ctl: .*\r\n\[terminal same, code 125\]/);
    await own.stop();
  });

  test("a lost connection is told, keys typed meanwhile arrive, and the screen goes on", async () => {
    await using gate = await Gate.open(agent.url);
    const home = { env: { ...agent.env, FAIRLEAD_SERVER: gate.url, FAIRLEAD_TOKEN: agent.token } };
    using terminal = new TerminalRun(home, guarded("exec", "-it", "ctl-tty", "sh"));
    await terminal.shows(/# /);
    gate.cut();
    await terminal.shows(/\r\n\[fairlead: connection lost, reconnecting .*Enter ~ \. .*\]\r\n/);
    terminal.type("echo typed-while-$((1+1))-away\r");
    gate.mend();
    await terminal.shows(/\[fairlead: connected again\]/);
    await terminal.shows(/typed-while-2-away/);
    terminal.type("exit\r");
    await terminal.shows(/\[terminal same, code 0\]/);
  });

  test("Enter ~ . leaves while the connection is away, and only then", async () => {
    await using gate = await Gate.open(agent.url);
    const home = { env: { ...agent.env, FAIRLEAD_SERVER: gate.url, FAIRLEAD_TOKEN: agent.token } };
    using terminal = new TerminalRun(home, guarded("exec", "-it", "ctl-tty", "sh"));
    await terminal.shows(/# /);
    terminal.type("\r~.\u0015echo still-$((1+1))\r");
    await terminal.shows(/still-2/);
    gate.cut();
    await terminal.shows(/connection lost/);
    terminal.type("\r~.");
    await terminal.shows(/\[terminal same, code 125\]/);
  });

  test("a closed terminal ends the command, also one that was to wait for a lost connection", async () => {
    using terminal = new TerminalRun(
      agent,
      shellWords("exec", "-it", "ctl-tty", "sh", "-c", "echo ready; sleep 7654321"),
    );
    await terminal.shows(/ready/);
    terminal.close();
    const deadline = Date.now() + 10_000;
    while ((await engine.docker("top", "ctl-tty", "-eo", "pid,args")).includes("7654321"))
      assert.ok(Date.now() < deadline);
  });
});
