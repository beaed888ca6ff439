import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { newSecret } from "../../src/auth/secret.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { auditOf } from "../support/audit.ts";
import { until } from "../support/until.ts";
import { guarded, runCtl, runShell, shellWords, startCtl, TerminalRun } from "./ctl.ts";
import { Gate } from "./gate.ts";

/** No shell needs the container engine. */
const NO_ENGINE = { host: "unix:///nonexistent/docker.sock" };
const WITHOUT = newSecret();
const SCOPED = newSecret();

/** Commands of processes that carry this word in their environment. */
function running(mark: string): string[] {
  return readdirSync("/proc").flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, "latin1").includes(`MARK=${mark}\0`)) return [];
      return [readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim()];
    } catch {
      return [];
    }
  });
}

suite("ctl shell", () => {
  let agent: TestAgent;
  before(async () => {
    const grants = [
      { name: "reader", token: WITHOUT, rights: ["list", "logs", "exec"] },
      { name: "scoped", token: SCOPED, rights: ["admin"], scopes: [{ team: "web" }] },
    ];
    const env = { FAIRLEAD_HOST_SHELL: "true", FAIRLEAD_GRANTS: JSON.stringify(grants) };
    agent = await startAgent({ engine: NO_ENGINE, env });
  });
  after(() => agent.stop());

  test("a login shell has the terminal, its size, its name and its keys, and gives it back as it was", async () => {
    using terminal = new TerminalRun(agent, `PS1='$ ' ${guarded("shell")}`);
    terminal.type("stty size; echo $TERM; shopt -q login_shell && echo log''in\r");
    await terminal.shows(/24 80\r\n/);
    await terminal.shows(/xterm-256color\r\n/);
    await terminal.shows(/login/);
    terminal.resize(132, 50);
    terminal.type("while [ \"$(stty size)\" != '50 132' ]; do sleep 0.05; done; echo resi''zed\r");
    await terminal.shows(/resized/);
    // A shell that is between two commands, or drawing its prompt, swallows what is typed then: the command itself says that it runs.
    terminal.type("sh -c \"echo run''ning; exec sleep 1000\"\r");
    await terminal.shows(/running\r\n/);
    terminal.type("\u0003");
    await terminal.shows(/\^C[\s\S]*[$#] /);
    terminal.type("echo code $?\r");
    await terminal.shows(/code 130/);
    terminal.type("exit 5\r");
    await terminal.shows(/\[terminal same, code 5\]/);
  });

  test("one command has pipes, and its exit code is ctl's", async () => {
    const { code, stdout, stderr } = await runCtl(agent, ["shell", "--", "sh", "-c", "echo out; echo err >&2; exit 9"]);
    assert.deepEqual([code, stdout.toString(), stderr], [9, "out\n", "err\n"]);
    assert.equal(
      (await runCtl(agent, ["shell", "-i", "--", "wc", "-c"], "x".repeat(100_000))).stdout.toString().trim(),
      "100000",
    );
    assert.deepEqual((await runCtl(agent, ["shell"], "echo piped; exit 4\n")).code, 4);
    const absent = await runCtl(agent, ["shell", "no-such-command"]);
    assert.equal(absent.code, 127);
    assert.match(absent.stderr, /^ctl: This host has no command "no-such-command"\.\n$/);
  });

  test("100 MB come through byte for byte, with a terminal and without", async () => {
    const words = (tty: string) =>
      shellWords("shell", ...(tty ? [tty] : []), "--", "sh", "-c", `${tty ? "stty raw; " : ""}yes | head -c 100000000`);
    const sum = "yes | head -c 100000000 | cksum";
    const { stdout } = await runShell(agent, `${words("")} | cksum; ${words("-t")} | cksum; ${sum}`);
    const [piped, inTerminal, expected] = stdout.toString().trim().split("\n");
    assert.match(expected ?? "", /100000000/);
    assert.deepEqual([piped, inTerminal], [expected, expected]);
  });

  test("a lost connection loses nothing of it", async () => {
    await using gate = await Gate.open(agent.url);
    const env = { ...agent.env, FAIRLEAD_SERVER: gate.url, FAIRLEAD_TOKEN: agent.token };
    using terminal = new TerminalRun({ env }, guarded("shell"));
    terminal.type("for i in 1 2 3; do echo step$i; done; read go; echo went on\r");
    await terminal.shows(/step3\r\n/);
    gate.cut();
    gate.mend();
    terminal.type("\r");
    await terminal.shows(/went on\r\n/);
    terminal.type("exit\r");
    await terminal.shows(/\[terminal same, code 0\]/);
  });

  test("when the client goes for good, everything that it started ends", async () => {
    const mark = `gone-${process.pid}`;
    const run = startCtl(
      agent,
      "shell",
      "-i",
      "--",
      "sh",
      "-c",
      `export MARK=${mark}; (trap '' HUP TERM; sleep 1000) & sleep 1000 & echo started; wait`,
    );
    await run.says(/started/);
    await until("both run", () => running(mark).length >= 2);
    run.child.kill("SIGKILL");
    await until("nothing of it runs", () => running(mark).length === 0);
  });

  test("it is for those who have the right over the whole host, and answers everybody else alike", async () => {
    for (const token of [WITHOUT, SCOPED]) {
      const { code, stderr } = await runCtl({ env: { ...agent.env, FAIRLEAD_TOKEN: token } }, ["shell", "true"]);
      assert.deepEqual(
        [code, stderr],
        [125, "ctl: This host gives you no shell. Ask its owner for the right host-shell.\n"],
      );
      const who = await agent.fetch("/api/v1/whoami", { headers: { authorization: `Bearer ${token}` } });
      assert.equal(((await who.json()) as Record<string, unknown>)["hostShell"], undefined);
    }
    const who = (await (await agent.fetch("/api/v1/whoami")).json()) as { hostShell?: { user: string } };
    assert.equal(who.hostShell?.user, "root");
  });

  test("the audit tells who worked on the host, as whom, with what", async () => {
    await runCtl(agent, ["shell", "--", "echo", "audited"]);
    const opened = await until("its record", async () =>
      (await auditOf(agent)).find(({ command }) => command?.includes("audited")),
    );
    const { event, kind, subject, user, command, container } = opened;
    assert.deepEqual(
      [event, kind, subject, user, command, container],
      ["open", "shell", "local", "root", ["echo", "audited"], undefined],
    );
  });

  test("without host_shell it is refused with the way to allow it", async () => {
    const other = await startAgent({ engine: NO_ENGINE });
    const { code, stderr } = await runCtl(other, ["shell", "true"]);
    await other.stop();
    assert.equal(code, 125);
    assert.match(stderr, /^ctl: This agent gives no shell on its host\. .*host_shell: true\.\n$/);
  });

  test("the agent takes everything with it, told to end or killed", async () => {
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const mark = `${signal}-${process.pid}`;
      const other = await startAgent({ engine: NO_ENGINE, flags: ["--host-shell", "--shutdown-grace", "0s"] });
      const run = startCtl(
        other,
        "shell",
        "-i",
        "--",
        "sh",
        "-c",
        `export MARK=${mark}; sleep 1000 & echo started; wait`,
      );
      await run.says(/started/);
      await until("it runs", () => running(mark).length >= 1);
      other.kill(signal);
      await until("nothing of it runs", () => running(mark).length === 0);
      run.child.kill("SIGKILL");
      await other.stop();
    }
  });
});
