/**
 * A host that can be dialled, in a network of its own with a firewall: `ctl` asks the server for a pass and goes past it. What
 * the firewall swallows goes through the server, and what answers in the agent's place gets nothing.
 */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { NodeView } from "../../src/protocol/node.ts";
import { type Home, runCtl, shellWords, startCtl, TerminalRun } from "../ctl/ctl.ts";
import { pattern, sha256 } from "../fault/pattern.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { auditOf } from "../support/audit.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { makeNetwork, type Network } from "../support/network.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const AGENT = fileURLToPath(new URL("../../src/agent/main.ts", import.meta.url));
const WEB = "direct-web";
const BYTES = pattern(1_000_000);
const AUTHORITY = { rights: ["exec", "logs", "forward"] };
/** Within which withdrawn access ends, in milliseconds. */
const CUT_MS = 5_000;
/** Within which an address that never answers is given up, in milliseconds; the kernel tries for two minutes. */
const SWALLOWED_MS = 10_000;

suite("a host that can be dialled, and its server", () => {
  let network: Network;
  let engine: Engine;
  let server: TestServer;
  let agent: TestAgent;
  let stranger: TestAgent;
  let files: string;
  let home: Home;
  let port: string;
  const agents: TestAgent[] = [];

  before(async () => {
    network = makeNetwork("fd");
    engine = await sharedEngine();
    await engine.run(WEB, { command: ["sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"] });
    server = await startServer({ flags: ["--listen-address", network.here, "--heartbeat-interval", "1s"] });
    files = await mkdtemp(join(tmpdir(), "fl-direct-"));
    home = person(server.token);
    agent = await host("box", network.inside, ["--listen-address", "0.0.0.0"]);
    stranger = await host("hidden", network.inside, ["--listen-address", network.there, "--direct=false"]);
    port = new URL(agent.url).port;
    await until("the way to the agent", async () => (await node("box")).beat?.direct !== undefined);
  });

  after(async () => {
    for (const each of agents) await each.stop();
    await server?.stop();
    await engine?.docker("rm", "--force", WEB);
    await rm(files, { recursive: true, force: true });
    network?.remove();
  });

  /** An agent that has registered under this name. */
  async function host(name: string, [file, ...args]: Network["inside"], flags: string[]): Promise<TestAgent> {
    const { token } = await ask<{ token: string }>("POST", "/api/v1/nodes", { name });
    const started = await startAgent({
      engine,
      program: [file, ...args, process.execPath, AGENT],
      flags: ["-S", url(), "--token", token, ...flags],
    });
    agents.push(started);
    await until("its line", async () => (await node(name)).beat?.gatewayStatus === "connected");
    return started;
  }

  function person(token: string): Home {
    const pin = server.pin ?? "";
    return { env: { XDG_CONFIG_HOME: files, FAIRLEAD_SERVER: url(), FAIRLEAD_PIN: pin, FAIRLEAD_TOKEN: token } };
  }

  const url = () => `https://${network.here}:${new URL(server.url).port}`;
  const ask = <T>(method: string, path: string, body?: object) =>
    server.atHome<T>({ method, path, ...(body && { body }) });
  const node = (name: string) => ask<NodeView>("GET", `/api/v1/nodes/${name}`);
  const ctl = (...args: string[]) => runCtl(home, args);
  /** Sessions that went through the relay so far. */
  const relayed = async () =>
    (await auditOf(server)).filter(({ event }) => event === "open" || event === "resume").length;
  const directly = () => new RegExp(`box: directly, ${network.there}:${port}`);
  /** Cuts the connections to the agent's door, and leaves the way open. */
  const cut = () => network.run("ss", "-tK", "state", "established", "sport", "=", `:${port}`);

  test("a session goes to the agent itself, and the server sees nothing of it but who was given a pass", async () => {
    const before = await relayed();
    const run = await runCtl(home, ["-v", "exec", "-i", `box:${WEB}`, "sh", "-c", "cat; exit 7"], "hello");
    assert.deepEqual([run.code, run.stdout.toString()], [7, "hello"], run.stderr);
    assert.match(run.stderr, directly());
    assert.equal(await relayed(), before);
    const last = (await auditOf(server)).at(-1);
    assert.partialDeepStrictEqual(last, { event: "change", kind: "pass", node: "box", subject: "local" });
    const [open] = (await auditOf(agent)).filter(({ event, kind }) => event === "open" && kind === "exec");
    assert.partialDeepStrictEqual(open, { subject: "server:local", remote: `${network.here} fairlead.v1 direct` });
  });

  test("so do logs, copies, forwards and terminals, each as at one agent", async (t) => {
    const before = await relayed();
    const tail = await ctl("logs", "--tail", "2", `box:${WEB}`);
    assert.equal(tail.stdout.toString().match(/line \d+/g)?.length, 2, tail.stderr);
    await runCtl(home, ["exec", "-i", `box:${WEB}`, "sh", "-c", "cat > /tmp/a"], BYTES);
    const copy = join(files, "copy");
    const out = await ctl("cp", `box:${WEB}:/tmp/a`, copy);
    assert.equal(out.code, 0, out.stderr);
    assert.equal(sha256(await readFile(copy)), sha256(BYTES));
    const forward = startCtl(home, "port-forward", `box:${WEB}`, ":7000");
    t.after(() => forward.child.kill("SIGKILL"));
    await forward.says(/127\.0\.0\.1:(\d+)/);
    using terminal = new TerminalRun(home, shellWords("exec", "-it", `box:${WEB}`, "sh"));
    await terminal.shows(/# /);
    terminal.type("exit 3\r");
    assert.equal(await terminal.exited, 3);
    assert.equal(await relayed(), before);
  });

  test("one that is not to be dialled is reached through the server beside it, and --no-direct goes there too", async (t) => {
    const both = startCtl(home, "-v", "logs", "-f", "--tail", "1", `box:${WEB}`, `hidden:${WEB}`);
    t.after(() => both.child.kill("SIGKILL"));
    await both.says(directly());
    await both.says(/hidden: through the server, because its agent cannot be dialled from elsewhere/);
    await both.says(new RegExp(`^box:${WEB}.*line \\d`, "m"));
    await both.says(new RegExp(`^hidden:${WEB}.*line \\d`, "m"));
    const before = await relayed();
    const run = await ctl("--no-direct", "exec", `box:${WEB}`, "true");
    assert.deepEqual([run.code, await relayed()], [0, before + 1], run.stderr);
  });

  test("a session that is cut goes on directly, and through the server once the way is gone", async () => {
    using terminal = new TerminalRun(home, shellWords("exec", "-it", `box:${WEB}`, "sh"));
    await terminal.shows(/# /);
    const before = await relayed();
    cut();
    terminal.type("echo first-$((40+2))\r");
    await terminal.shows(/first-42/);
    const resumed = await until("the resume in the audit", async () => {
      const found = (await auditOf(agent)).filter(({ event }) => event === "resume");
      return found.length > 0 && found;
    });
    assert.deepEqual(
      resumed.map(({ remote }) => remote),
      [`${network.here} fairlead.v1 direct`],
    );
    assert.equal(await relayed(), before, "it did not go on directly");
    network.firewall("reset");
    cut();
    terminal.type("echo second-$((40+2))\r");
    await terminal.shows(/second-42/);
    await until("going on through the server", async () => (await relayed()) > before);
    network.firewall("let-in");
    terminal.type("exit 5\r");
    assert.equal(await terminal.exited, 5);
  });

  test("what a firewall swallows costs little time, and is carried by the server", async () => {
    network.firewall("swallow");
    const { code, stderr } = await ctl("-v", "exec", `box:${WEB}`, "true").finally(() => network.firewall("let-in"));
    assert.equal(code, 0, stderr);
    const [, from = "", to = ""] =
      /\[ *(\d+) ms\] connecting\n[^]*\[ *(\d+) ms\] box: through the server, because \S+ does not answer/.exec(
        stderr,
      ) ?? [];
    assert.ok(Number(to) - Number(from) < SWALLOWED_MS, stderr);
  });

  test("who answers in the agent's place gets nothing, is told of, and is passed by", async () => {
    const rule = [
      "PREROUTING",
      "-p",
      "tcp",
      "--dport",
      port,
      "-j",
      "REDIRECT",
      "--to-port",
      new URL(stranger.url).port,
    ];
    network.run("iptables", "-t", "nat", "-A", ...rule);
    const { code, stderr } = await ctl("exec", `box:${WEB}`, "true").finally(() => {
      network.run("iptables", "-t", "nat", "-D", ...rule);
    });
    assert.equal(code, 0, stderr);
    assert.match(
      stderr,
      /is not the agent that it should be: its key has the pin sha256:\w+, not sha256:\w+\. Nothing was sent/,
    );
    assert.ok((await auditOf(stranger)).every(({ event }) => event !== "refuse"));
  });

  test("a token that is withdrawn ends what was opened with it, within 5 s", async () => {
    const { token } = await ask<{ token: string }>("POST", "/api/v1/tokens", { name: "ci", ...AUTHORITY });
    const follow = startCtl(person(token), "-v", "logs", "-f", `box:${WEB}`);
    await follow.says(directly());
    await follow.says(/line \d+/);
    const withdrawn = performance.now();
    await ask("DELETE", "/api/v1/tokens/ci");
    const { code, stderr } = await follow.ended;
    assert.ok(performance.now() - withdrawn < CUT_MS);
    assert.equal(code, 125);
    assert.match(stderr, /access was withdrawn|token was withdrawn/);
  });

  test("an operator turns it off at the server", async (t) => {
    const off = await startServer({ flags: ["--direct=false"] });
    t.after(() => off.stop());
    await off.post("/api/v1/nodes", { name: "box" });
    const answer = await off.post("/api/v1/nodes/box/pass", { key: "A".repeat(43) });
    assert.deepEqual(answer, { why: "the server gives no passes" });
  });

  test("a host that is removed lets go of those who came directly", async () => {
    const follow = startCtl(home, "-v", "logs", "-f", `box:${WEB}`);
    await follow.says(directly());
    await follow.says(/line \d+/);
    const removed = performance.now();
    await ask("DELETE", "/api/v1/nodes/box");
    assert.equal((await follow.ended).code, 125);
    assert.ok(performance.now() - removed < CUT_MS);
  });
});
