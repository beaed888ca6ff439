import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, suite, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { dockerCli } from "../support/docker-client.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { shellWords } from "./ctl.ts";

const run = promisify(execFile);
/** Longest a test waits for a screen, in milliseconds. */
const LIMIT_MS = 20_000;
/** A screen that is the same for so long, in milliseconds, has been painted to its end. */
const PAINTED_MS = 300;
/** An engine tells a terminal's size when the program runs already: one that has asked before starts too small. */
const EDITOR = `until [ "$(stty size 2>/dev/null)" = "30 100" ]; do :; done; exec vi /file`;

suite("a full-screen program", () => {
  let engine: Engine;
  let agent: TestAgent;
  before(async () => {
    engine = await sharedEngine();
    agent = await startAgent({ engine });
    await engine.run("ctl-vi");
    await engine.docker(
      "exec",
      "ctl-vi",
      "sh",
      "-c",
      "seq 1 200 | sed 's/$/ a line of text that is here to be seen/' > /file",
    );
  });
  after(async () => {
    await tmux("kill-server").catch(() => {});
    await agent.stop();
    await engine.docker("rm", "--force", "ctl-vi");
  });

  /** A server of its own, so that the user's sessions are left alone. */
  async function tmux(...args: string[]): Promise<string> {
    const env = { ...process.env, ...agent.env, TERM: "xterm-256color" };
    const { stdout } = await run("tmux", ["-L", `fl-${agent.pid}`, "-f", "/dev/null", ...args], { env });
    return stdout;
  }

  async function screen(name: string, wanted: RegExp): Promise<string> {
    const deadline = Date.now() + LIMIT_MS;
    for (;;) {
      const shown = await tmux("capture-pane", "-p", "-t", name);
      if (wanted.test(shown)) return shown;
      assert.ok(Date.now() < deadline, `${name} never showed ${wanted}:\n${shown}`);
    }
  }

  /** Once it stays: the words are there before the status line below them. */
  async function painted(name: string, wanted: RegExp): Promise<string> {
    for (let before = await screen(name, wanted); ; ) {
      await delay(PAINTED_MS);
      const shown = await screen(name, wanted);
      if (shown === before) return shown;
      before = shown;
    }
  }

  /** What the editor shows after each step, until it has ended. */
  async function story(name: string, command: string): Promise<string[]> {
    const script = `${command} sh -c '${EDITOR}'; echo "[left]"; cat`;
    await tmux("new-session", "-d", "-s", name, "-x", "100", "-y", "30", script);
    const shown = [await painted(name, /^29 a line/m)];
    await tmux("send-keys", "-t", name, "G");
    shown.push(await painted(name, /^200 a line/m));
    await tmux("send-keys", "-t", name, "10G", "o", "new text", "Escape");
    shown.push(await painted(name, /^new text$/m));
    await tmux("send-keys", "-t", name, ":q!", "Enter");
    shown.push(await painted(name, /\[left\]/));
    return shown;
  }

  test("shows the same through ctl as through docker, step by step", async () => {
    const ours = await story("ours", shellWords("exec", "-it", "ctl-vi"));
    const theirs = await story("theirs", `${dockerCli} --host ${engine.host} exec -it ctl-vi`);
    assert.deepEqual(ours, theirs);
  });

  test("follows the window when it changes", async () => {
    await tmux(
      "new-session",
      "-d",
      "-s",
      "sized",
      "-x",
      "100",
      "-y",
      "30",
      `${shellWords("exec", "-it", "ctl-vi")} sh`,
    );
    await screen("sized", /#/);
    await tmux("resize-window", "-t", "sized", "-x", "61", "-y", "17");
    await tmux("send-keys", "-t", "sized", "while sleep 0.1; do stty size; done", "Enter");
    await screen("sized", /^17 61$/m);
    await tmux("kill-session", "-t", "sized");
  });
});
