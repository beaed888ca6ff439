import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { type Home, runCtl, shellWords, TerminalRun } from "./ctl.ts";

suite("completion", () => {
  let engine: Engine;
  let agent: TestAgent;
  let server: TestServer;
  /** Of somebody who means the server, behind which the agent is. */
  let elsewhere: Home;
  before(async () => {
    engine = await sharedEngine();
    server = await startServer();
    const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: "box" });
    agent = await startAgent({ engine, flags: ["-S", server.url, "--token", token] });
    elsewhere = { env: { ...agent.env, FAIRLEAD_SERVER: server.url, FAIRLEAD_TOKEN: server.token } };
    await engine.run("ctl-completed");
    await until("the host's line", async () => (await server.fetch("/api/v1/nodes/box/version")).ok);
  });
  after(async () => {
    await agent.stop();
    await server.stop();
    await engine.docker("rm", "--force", "ctl-completed");
  });

  const completed = (...words: string[]) => completedBy(agent, words);

  async function completedBy(home: Home, words: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await runCtl(home, ["complete", ...words]);
    assert.deepEqual([code, stderr], [0, ""]);
    return stdout.toString().split("\n").filter(Boolean);
  }

  test("commands, options and the values of options are known", async () => {
    assert.deepEqual(await completed("lo"), ["logs", "login"]);
    assert.ok((await completed("")).includes("port-forward"));
    assert.deepEqual(await completed("ps", "--wa"), ["--watch"]);
    assert.deepEqual(await completed("ps", "-o", ""), ["json", "yaml", "name", "wide"]);
    assert.deepEqual(await completed("completion", "z"), ["zsh"]);
    assert.deepEqual(await completed("ps", "--output=y"), ["--output=yaml"]);
    assert.deepEqual(await completed("--server=http://nowhere", "ver"), ["version"]);
    assert.deepEqual(await completed("-v", "--server", "http://nowhere", "ver"), ["version"]);
  });

  test("containers are those of the server, where one is wanted and nowhere else", async () => {
    assert.deepEqual(await completed("exec", "-it", "ctl-comp"), ["ctl-completed"]);
    assert.deepEqual(await completed("logs", "web", "ctl-comp"), ["ctl-completed"]);
    assert.deepEqual(await completed("exec", "ctl-completed", "ctl-comp"), []);
    assert.deepEqual(await completed("cp", "ctl-comp"), ["ctl-completed:"]);
    assert.deepEqual(await completed("cp", "file", "ctl-comp"), ["ctl-completed:"]);
    for (const file of ["", "./ctl", "ctl-completed/", "ctl-completed:/"])
      assert.deepEqual(await completed("cp", file), [], file);
  });

  test("at a server nodes come first, and the containers of one behind its colon", async () => {
    const at = (...words: string[]) => completedBy(elsewhere, words);
    assert.deepEqual(await at("logs", "bo"), ["box:"]);
    assert.deepEqual(await at("logs", "-f", "box:ctl-comp"), ["box:ctl-completed"]);
    assert.deepEqual(await at("ps", "--node=b"), ["--node=box"]);
    assert.deepEqual(await at("nodes", "disable", ""), ["box"]);
    assert.deepEqual(await at("nodes", "add", ""), []);
  });

  test("contexts have names", async () => {
    const add = ["context", "add", "lab", "--server", server.url, "--token", server.token];
    assert.equal((await runCtl(agent, add)).code, 0);
    assert.deepEqual((await completed("--context", "")).toSorted(), ["lab", "local"]);
    assert.deepEqual(await completed("context", "use", "la"), ["lab"]);
    assert.equal((await runCtl(agent, ["context", "remove", "lab"])).code, 0);
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

  test("so it does with what is no word to bash: an option and its value, a node and a container", async () => {
    const define = `ctl() { ${shellWords()} "$@"; }; source <(ctl completion bash)`;
    using terminal = new TerminalRun(elsewhere, "PS1='$ ' exec bash --norc --noprofile -i");
    terminal.type(`${define}; echo rea''dy\r`);
    await terminal.shows(/ready/);
    terminal.type("ctl ps --output=ya\t");
    await terminal.shows(/ctl ps --output=yaml /);
    terminal.type("\u0015ctl logs bo\t");
    await terminal.shows(/ctl logs box:/);
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
    terminal.type("\u0015cd /; echo [(complete -C 'ctl ps -o ' | count)]\r");
    await terminal.shows(/\[4\]/);
  });

  test("another shell is refused", async () => {
    assert.equal((await runCtl(agent, ["completion", "tcsh"])).code, 2);
  });
});
