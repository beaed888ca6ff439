/**
 * A host that nobody can dial: the real agent in a network of its own from which connections only go out, the real server, and
 * `ctl` at the server. Everything that works at an agent works through it, also when the server is killed under it.
 */

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { type Home, runCtl, startCtl, TerminalRun, shellWords } from "../ctl/ctl.ts";
import { pattern, sha256 } from "../fault/pattern.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { makeNetwork, type Network } from "../support/network.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { fileURLToPath } from "node:url";

const AGENT = fileURLToPath(new URL("../../src/agent/main.ts", import.meta.url));
const NETWORK = `fl${process.pid}`;
const COPY = join(tmpdir(), `${NETWORK}-copy`);
const WEB = "relay-web";
const BYTES = pattern(3_000_000);
/** How often the server is killed under what goes through it; FAIRLEAD_RELAY_KILLS asks for more. */
const KILLS = Number(process.env["FAIRLEAD_RELAY_KILLS"] ?? 3);

suite("a host with outbound traffic only, through its server", () => {
  let network: Network;
  let engine: Engine;
  let server: TestServer;
  let agent: TestAgent;
  let home: Home;

  const box = `box:${WEB}`;
  const ctl = (...args: string[]) => runCtl(home, args);
  const flags = () => ["--listen-address", network.here, "--heartbeat-interval", "1s"];

  before(async () => {
    network = makeNetwork("fl");
    network.firewall("swallow");
    engine = await sharedEngine();
    await engine.run(WEB, { command: ["sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); sleep 0.05; done"] });
    server = await startServer({ flags: flags() });
    const { token } = await server.atHome<{ token: string }>({
      method: "POST",
      path: "/api/v1/nodes",
      body: { name: "box" },
    });
    const url = `https://${network.here}:${new URL(server.url).port}`;
    agent = await startAgent({
      engine,
      program: [...network.inside, process.execPath, AGENT],
      flags: ["-S", url, "--token", token],
    });
    home = {
      env: {
        XDG_CONFIG_HOME: join(tmpdir(), NETWORK),
        FAIRLEAD_SERVER: url,
        FAIRLEAD_PIN: server.pin ?? "",
        FAIRLEAD_TOKEN: server.token,
      },
    };
    await connected();
  });

  after(async () => {
    await agent?.stop();
    await server?.stop();
    await engine?.docker("rm", "--force", WEB);
    await rm(COPY, { force: true });
    network?.remove();
  });

  /** The agent's line is there, as the server is told. */
  const connected = () =>
    until("the agent's line", async () => {
      const { beat } = await server.atHome<{ beat?: { gatewayStatus?: string } }>({ path: "/api/v1/nodes/box" });
      return beat?.gatewayStatus === "connected";
    });

  const killServer = async () => {
    server.kill("SIGKILL");
    await server.exited;
    server = await startServer({ flags: flags(), before: server });
  };

  test("nobody reaches the host itself", async () => {
    const socket = connect({ host: network.there, port: Number(new URL(agent.url).port), timeout: 500 });
    socket.on("error", () => {});
    const how = await Promise.race([once(socket, "connect").then(() => "connected"), once(socket, "timeout")]);
    socket.destroy();
    assert.notEqual(how, "connected");
  });

  test("containers are listed, of the node and of all nodes", async () => {
    const one = await ctl("ps", "--node", "box", "-o", "name");
    assert.match(one.stdout.toString(), new RegExp(`^box:${WEB}$`, "m"), one.stderr);
    const all = await ctl("ps", "--all-nodes");
    assert.match(all.stdout.toString(), new RegExp(`^box +${WEB} `, "m"), all.stderr);
    const detail = await ctl("inspect", box);
    assert.match(detail.stdout.toString(), new RegExp(`"name": "${WEB}"`), detail.stderr);
  });

  test("a command runs, with its exit code, its streams apart and its input", async () => {
    const run = await runCtl(home, ["exec", "-i", box, "sh", "-c", "cat; echo oops >&2; exit 7"], "hello");
    assert.deepEqual([run.code, run.stdout.toString(), run.stderr], [7, "hello", "oops\n"]);
    const said = await ctl("-v", "exec", box, "true");
    assert.match(said.stderr, /box: through the server, because its agent cannot be dialled/);
  });

  test("a terminal is a terminal", async () => {
    using terminal = new TerminalRun(home, shellWords("exec", "-it", box, "sh"));
    await terminal.shows(/# /);
    terminal.type("stty size; exit 3\r");
    await terminal.shows(/24 80/);
    assert.equal(await terminal.exited, 3);
  });

  test("logs, their follow and an attach arrive", async () => {
    const tail = await ctl("logs", "--tail", "2", box);
    assert.equal(tail.stdout.toString().match(/line \d+/g)?.length, 2);
    const follow = startCtl(home, "attach", "--no-stdin", box);
    await follow.says(/line \d+/);
    follow.child.kill("SIGKILL");
  });

  test("files are copied both ways", async () => {
    const made = await runCtl(home, ["exec", "-i", box, "sh", "-c", "cat > /tmp/a"], BYTES);
    assert.equal(made.code, 0, made.stderr);
    const out = await ctl("cp", `${box}:/tmp/a`, COPY);
    assert.equal(out.code, 0, out.stderr);
    assert.equal(sha256(await readFile(COPY)), sha256(BYTES));
    const back = await ctl("cp", COPY, `${box}:/tmp/b`);
    assert.equal(back.code, 0, back.stderr);
    const sum = await ctl("exec", box, "sha256sum", "/tmp/b");
    assert.match(sum.stdout.toString(), new RegExp(sha256(BYTES)));
  });

  test("an unknown node and an unknown container are refused alike, without a word about which", async () => {
    assert.equal((await ctl("exec", "nowhere:web", "true")).code, 125);
    assert.equal((await ctl("exec", "box:nothing", "true")).code, 125);
  });

  test("a terminal, a log and a forward survive the server being killed again and again", async (t) => {
    await ctl("exec", box, "sh", "-c", "(while :; do nc -l -p 7000 -e cat; done) </dev/null >/dev/null 2>&1 &");
    const log = startCtl(home, "logs", "-f", "--tail", "0", box);
    t.after(() => log.child.kill("SIGKILL"));
    await log.says(/line \d+/);
    using terminal = new TerminalRun(home, shellWords("exec", "-it", box, "sh"));
    await terminal.shows(/# /);
    const forward = startCtl(home, "port-forward", box, ":7000");
    t.after(() => forward.child.kill("SIGKILL"));
    const [, port = ""] = await forward.says(/127\.0\.0\.1:(\d+)/);
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    const back: Buffer[] = [];
    const arrived = () => back.reduce((sum, { length }) => sum + length, 0);
    let broken: Error | undefined;
    socket.on("data", (bytes: Buffer) => back.push(bytes)).on("error", (error) => (broken = error));
    const part = Math.ceil(BYTES.length / KILLS);
    for (let i = 0; i < KILLS; i += 1) {
      const before = arrived();
      socket.write(BYTES.subarray(i * part, (i + 1) * part));
      await until("some of it", () => arrived() > before);
      await killServer();
      terminal.type(`echo answer-$((${i}+100))\r`);
      await terminal.shows(new RegExp(`answer-${i + 100}`));
    }
    await until("every byte", () => broken !== undefined || arrived() === BYTES.length);
    assert.equal(broken, undefined);
    assert.equal(sha256(Buffer.concat(back)), sha256(BYTES));
    terminal.type("exit 5\r");
    assert.equal(await terminal.exited, 5);
    log.child.kill("SIGINT");
    const { stdout } = await log.ended;
    const lines = stdout
      .toString()
      .trim()
      .split("\n")
      .map((line) => Number(line.split(" ")[1]));
    assert.deepEqual(
      lines,
      lines.map((_, i) => (lines[0] ?? 0) + i),
      "lines were lost or repeated",
    );
    socket.destroy();
    forward.child.kill("SIGINT");
    await forward.ended;
  });
});
