import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { runCtl, shellWords, TerminalRun } from "./ctl.ts";

suite("completion", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    await engine.run("ctl-completed");
  });
  after(async () => {
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-completed");
  });

  async function completed(...words: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await runCtl(agent, ["complete", ...words]);
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout.toString().split("\n").filter(Boolean);
  }

  test("commands, options and the values of options are known", async () => {
    assert.deepEqual(await completed("lo"), ["logs", "login"]);
    assert.ok((await completed("")).includes("port-forward"));
    assert.deepEqual(await completed("ps", "--wa"), ["--watch"]);
    assert.deepEqual(await completed("ps", "-o", ""), ["json", "yaml", "name", "wide"]);
    assert.deepEqual(await completed("completion", "z"), ["zsh"]);
    assert.deepEqual(await completed("-v", "--server", "http://nowhere", "ver"), ["version"]);
  });

  test("containers are those of the server, where one is wanted and nowhere else", async () => {
    assert.deepEqual(await completed("exec", "-it", "ctl-comp"), ["ctl-completed"]);
    assert.deepEqual(await completed("logs", "web", "ctl-comp"), ["ctl-completed"]);
    assert.deepEqual(await completed("exec", "ctl-completed", "ctl-comp"), []);
  });

  test("a server that does not answer is met with silence", async () => {
    assert.deepEqual(await completed("--server", "http://127.0.0.1:9", "--token", "t", "logs", ""), []);
  });

  test("a bash that has read the script completes what is typed", async () => {
    const define = `ctl() { ${shellWords()} "$@"; }; source <(ctl completion bash)`;
    using terminal = new TerminalRun(agent, "PS1='$ ' exec bash --norc --noprofile -i");
    terminal.type(`${define}; echo rea''dy\r`);
    await terminal.shows(/ready/);
    terminal.type("ctl logs\t");
    await terminal.shows(/ctl logs /);
    terminal.type("ctl-comp\t");
    await terminal.shows(/ctl-completed /);
  });

  test("a zsh that has read the script completes what is typed", async () => {
    const define = `autoload -U compinit; compinit -u -D; ctl() { ${shellWords()} "$@" }; source <(ctl completion zsh)`;
    using terminal = new TerminalRun(agent, "exec zsh -f -i");
    await terminal.shows(/# |% /);
    terminal.type(`${define}; echo rea''dy\r`);
    await terminal.shows(/ready\r/);
    terminal.type("ctl logs ctl-comp\t");
    await terminal.shows(/leted/);
  });

  test("a zsh that finds the script on its path completes at the first key", async () => {
    const put = `mkdir -p "$HOME/functions"; ctl completion zsh >"$HOME/functions/_ctl"; fpath=("$HOME/functions" $fpath)`;
    const define = `ctl() { ${shellWords()} "$@" }; ${put}; autoload -U compinit; compinit -u -D`;
    using terminal = new TerminalRun(agent, "exec zsh -f -i");
    await terminal.shows(/# |% /);
    terminal.type(`${define}; echo rea''dy\r`);
    await terminal.shows(/ready\r/);
    terminal.type("ctl logs ctl-comp\t");
    await terminal.shows(/leted/);
  });

  test("a fish that has read the script completes what is typed", async () => {
    const define = `function ctl; ${shellWords()} $argv; end; ctl completion fish | source`;
    using terminal = new TerminalRun(agent, "exec fish --no-config -i");
    terminal.type(`${define}; echo rea''dy\r`);
    await terminal.shows(/ready\r/);
    terminal.type("ctl logs ctl-comp\t");
    await terminal.shows(/leted/);
  });

  test("another shell is refused", async () => {
    assert.equal((await runCtl(agent, ["completion", "tcsh"])).code, 2);
  });
});
