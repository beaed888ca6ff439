/** `ctl top` against a real agent and engine, with pipes and in a real terminal. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { StatsView } from "../../src/protocol/stats.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";
import { guarded, runCtl, shellWords, startCtl, TerminalRun } from "./ctl.ts";

const BUSY = "ctl-top-busy";
const IDLE = "ctl-top-idle-with-a-name-that-is-rather-long";
const OFF = "ctl-top-off";
const ESCAPE = "\u001b";
/** To the end of the line, and below. */
const CLEARING = new RegExp(`${ESCAPE}(\\[[KJ])?`, "g");

suite("ctl top", () => {
  let engine: Engine;
  let agent: TestAgent;

  before(async () => {
    engine = await sharedEngine();
    await engine.run(BUSY, { command: ["sh", "-c", "while :; do :; done"], args: ["--cpus", "0.5"] });
    await engine.run(IDLE);
    await engine.run(OFF, { command: ["true"] });
    agent = await startAgent({ engine });
  });

  after(async () => {
    await agent?.stop();
    await engine?.docker("rm", "--force", BUSY, IDLE, OFF).catch(() => {});
  });

  test("prints the figures once where nobody looks at a terminal, the busiest first", async () => {
    const { code, stdout } = await runCtl(agent, ["top"]);
    const [head = "", ...rows] = stdout.toString().split("\n");
    assert.equal(code, 0);
    assert.match(head, /^NAME +CPU % +MEM USAGE \/ LIMIT +MEM % +NET I\/O +BLOCK I\/O +PIDS$/);
    const own = rows.filter((row) => row.startsWith("ctl-top-"));
    assert.equal(own.length, 2);
    assert.match(own[0] ?? "", /^ctl-top-busy +\d+\.\d\d% +[\d.]+[KM]iB \/ [\d.]+[GM]iB +\d\.\d\d% .* 1$/);
    assert.ok(own[1]?.startsWith(`${IDLE} `));
  });

  test("prints them once on a terminal that only shows characters", async () => {
    using terminal = new TerminalRun(agent, `TERM=dumb ${shellWords("top", BUSY)}; echo "code $?"`);
    await terminal.shows(/^NAME .*\r\nctl-top-busy .*\r\ncode 0\r\n$/);
  });

  test("of one container says so when it does not run or does not exist", async () => {
    const one = await runCtl(agent, ["top", "--no-stream", BUSY]);
    assert.equal(one.stdout.toString().trimEnd().split("\n").length, 2);
    const off = await runCtl(agent, ["top", OFF]);
    assert.deepEqual([off.code, off.stdout.length], [125, 0]);
    assert.match(off.stderr, /^ctl: The container "ctl-top-off" is not running \(exited\)\.\n$/);
    assert.match((await runCtl(agent, ["top", "ctl-top-none", "-o", "json"])).stderr, /No container "ctl-top-none"/);
  });

  test("-o json is a line a second for programs, and one value with --no-stream", async () => {
    const run = startCtl(agent, "top", BUSY, "-o", "json");
    await run.says(/\n.+\n/);
    run.child.kill("SIGTERM");
    const lines = (await run.ended).stdout.toString().trimEnd().split("\n");
    for (const line of lines) {
      const [stats, more] = JSON.parse(line) as unknown[];
      assert.equal(more, undefined);
      assert.deepEqual([StatsView.parse(stats).name, StatsView.parse(stats).pids], [BUSY, 1]);
    }
    const once = await runCtl(agent, ["top", "--no-stream", "-o", "json"]);
    assert.ok((JSON.parse(once.stdout.toString()) as unknown[]).length >= 2);
  });

  test("-o name is a name a line, the busiest first, once, also in a terminal", async () => {
    const names = (text: string) => text.split(/\r?\n/).filter((name) => name.startsWith("ctl-top-"));
    assert.deepEqual(names((await runCtl(agent, ["top", "-o", "name"])).stdout.toString()), [BUSY, IDLE]);
    using terminal = new TerminalRun(agent, shellWords("top", "-o", "name"));
    await terminal.shows(new RegExp(`^${BUSY}\r\n[^]*^${IDLE}\r\n`, "m"));
    assert.equal(await terminal.exited, 0);
  });

  test("paints over itself in a terminal, fits into it, and gives it back at Ctrl-C", async () => {
    using terminal = new TerminalRun(agent, guarded("top"));
    await terminal.shows(/\[\?1049h.\[\?25l/);
    for (let i = 0; i < 2; i++) {
      const lines = await frame(terminal);
      assert.match(lines[0] ?? "", /^NAME +CPU % /);
      assert.ok(lines.some((line) => line.startsWith("ctl-top-idle-with-a-name-that… ")));
      for (const line of lines) assert.ok(line.length <= 80, line);
    }
    terminal.resize(30, 3);
    await until("a smaller picture", async () => {
      const lines = await frame(terminal);
      return lines.length === 3 && lines.every((line) => line.length <= 30);
    });
    terminal.type("\u0003");
    await terminal.shows(/\[\?25h.\[\?1049l/);
    await terminal.shows(/\[terminal same, code 130\]/);
    assert.ok(!terminal.screen.includes("[?1049h"));
  });

  test("gives the terminal back while it is stopped, and when its agent goes away", async () => {
    using terminal = new TerminalRun(
      agent,
      `set -m; ${shellWords("top", BUSY)}; echo [stopped]; read; fg; echo "[code $?]"`,
    );
    await terminal.shows(/\[HNAME/);
    terminal.type("\u001a");
    await terminal.shows(/\[\?1049l[^]*\[stopped\]/);
    terminal.type("\n");
    await terminal.shows(/\[\?1049h[^]*\[HNAME/);
    agent.kill("SIGTERM");
    await terminal.shows(/\[\?1049l[^]*ctl: [^]*\[code 125\]/);
    await agent.stop();
  });
});

/** The lines of the next picture, which is painted without clearing anything first. */
async function frame(terminal: TerminalRun): Promise<string[]> {
  const [, text = ""] = await terminal.shows(/\[\?2026h.\[H(.*?)\[\?2026l/s);
  assert.ok(!text.includes("[2J"));
  return text.split("\r\n").map((line) => line.replaceAll(CLEARING, ""));
}
