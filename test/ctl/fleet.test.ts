/** An operator's way with a server that serves TLS with a certificate of its own: log in, add a host, look, change, remove. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { parse } from "yaml";
import type { NodeView } from "../../src/protocol/node.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { outsideAddress } from "../support/outside.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { type Home, runCtl, startCtl } from "./ctl.ts";

suite("ctl and a server", () => {
  let engine: Engine;
  let server: TestServer;
  let home: string;
  const agents: TestAgent[] = [];
  before(async () => {
    engine = await sharedEngine();
    server = await startServer({
      flags: ["--tls", "self-signed", "--heartbeat-interval", "1s", "--listen-address", "0.0.0.0"],
    });
    home = await mkdtemp(join(tmpdir(), "fl-fleet-"));
  });
  after(async () => {
    for (const agent of agents) await agent.stop();
    await server.stop();
    await engine.docker("rm", "--force", "fleet-named", "fleet-page", "fleet-work", "fleet-events").catch(() => {});
    await rm(home, { recursive: true });
  });

  /** A user with nothing yet. */
  function user(name: string): Home {
    const directory = join(home, name);
    return { env: { HOME: directory, XDG_CONFIG_HOME: directory, XDG_STATE_HOME: directory } };
  }
  const admin = () => user("admin");

  async function ctl(who: Home, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await runCtl(who, args);
    assert.equal(code, 0, `ctl ${args.join(" ")}: ${stderr}`);
    return stdout.toString();
  }

  async function node(name: string): Promise<NodeView> {
    return JSON.parse(await ctl(admin(), "get", "nodes", name, "-o", "json"))[0] as NodeView;
  }

  test("log in with the one-time code; the address, token and pin are kept for this user alone", async () => {
    const args = ["login", server.url, "--pin", server.pin ?? "", "--code", server.code ?? "", "--name", "me@test"];
    assert.match(await ctl(admin(), ...args), /^Logged in to https:.* as me@test-[0-9a-f]{6}.*\nIts pin is sha256:/);
    const path = join(home, "admin", "fairlead", "contexts.json");
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    assert.ok((await readFile(path, "utf8")).includes(server.pin ?? "?"));
    assert.equal(await ctl(admin(), "get", "nodes"), "NAME   STATUS   AGE\n");
    const again = await runCtl(user("other"), args);
    assert.match(`${again.code} ${again.stderr}`, /^125 ctl: That code is wrong, used or expired.*[^]$/);
    assert.ok(!again.stderr.includes("token used came from"));
  });

  test("without the pin nothing is sent to a server that nobody vouches for", async () => {
    const { code, stderr } = await runCtl(user("careful"), ["login", server.url, "--code", "7KQ2-MX9D-4TBA"]);
    assert.equal(code, 125);
    assert.match(stderr, /not trusted .*--pin sha256:[0-9a-f]{64}/);
  });

  test("a second user logs in when the first approves it", async () => {
    const waiting = startCtl(user("second"), "login", server.url, "--pin", server.pin ?? "", "--name", "second");
    const [, link] = await waiting.says(/lets you in at:\n.* {2}(https:\S+)\n/);
    const [, code = ""] = await waiting.says(/ctl login --approve (\S+)/);
    assert.equal(link, `${server.url}/#approve=${code}`);
    assert.equal(await ctl(admin(), "login", "--approve", code), "second is let in.\n");
    assert.equal((await waiting.ended).code, 0);
    assert.equal(await ctl(user("second"), "get", "nodes"), "NAME   STATUS   AGE\n");
    assert.equal((await runCtl(admin(), ["login", "--approve", code])).code, 125);
  });

  test("a token is shown once, may do what it was made for, and nothing once it is removed", async () => {
    const wish = ["--rights", "list,logs", "--node", "box-9", "--scope", "team=web,tier=", "--lifetime", "1h"];
    const secret = (await ctl(admin(), "tokens", "add", "ci", ...wish)).trim();
    assert.match(secret, /^flt_\S+$/);
    const listed = await ctl(admin(), "tokens", "list");
    assert.match(listed, /^NAME +RIGHTS +NODES +SCOPES +AGE +EXPIRES +BY\n/);
    assert.match(listed, /^ci +list,logs +box-9 +team=web,tier= +\d+s +in \d+m +token:me@test-[0-9a-f]{6}$/m);
    assert.ok(!listed.includes(secret));
    const program = {
      env: { ...user("ci").env, FAIRLEAD_SERVER: server.url, FAIRLEAD_PIN: server.pin ?? "", FAIRLEAD_TOKEN: secret },
    };
    assert.equal(await ctl(program, "get", "nodes", "-o", "name"), "");
    assert.equal((await runCtl(program, ["nodes", "add", "box-9"])).code, 125);
    assert.equal((await runCtl(admin(), ["tokens", "add", "ci", "--rights", "list"])).code, 125);
    assert.equal(await ctl(admin(), "tokens", "remove", "ci"), "ci\n");
    assert.equal((await runCtl(program, ["get", "nodes"])).code, 125);
    assert.ok(!(await ctl(admin(), "tokens", "list", "-o", "name")).split("\n").includes("ci"));
  });

  test("add prints the one command for the host, and the host it runs on is Ready", async () => {
    const { stdout, stderr } = await runCtl(admin(), ["nodes", "add", "box-1"]);
    assert.match(stderr, /within 15 minutes; .*\nctl: 127\.0\.0\.1 means box-1 itself there: .*server's address/);
    const command = stdout.toString();
    const [, flags = ""] = /^fairlead agent (-S https:\S+ --node-name box-1 --token flb_\S+)\n$/.exec(command) ?? [];
    assert.match(await ctl(admin(), "get", "nodes"), /^box-1 +Pending +\d+s$/m);
    assert.match(await ctl(admin(), "ps", "--all-nodes"), /^NODE +NAME .*\n$/);
    const some = await runCtl(admin(), ["get", "nodes", "nobody", "box-1", "-o", "name"]);
    assert.deepEqual(
      [some.code, some.stdout.toString(), /^ctl: nobody: .*no host/.test(some.stderr)],
      [125, "box-1\n", true],
    );
    agents.push(await startAgent({ engine, flags: flags.split(" ") }));
    await until("box-1 to be Ready", async () => (await node("box-1")).status === "Ready");
    assert.match(await ctl(admin(), "get", "nodes"), /^NAME +STATUS +AGE\nbox-1 +Ready +\d+s\n$/);
    assert.equal(await ctl(admin(), "get", "node", "-o", "name"), "box-1\n");
    assert.equal(await ctl(admin(), "nodes", "list", "-o", "name"), "box-1\n");
    const wide = await ctl(admin(), "get", "nodes", "-o", "wide");
    assert.match(wide, /^NAME .*ADDRESS +VERSION +ENGINE +CPU +MEMORY +DISK +GPU +CONTAINERS +GATEWAY\n/);
    assert.match(wide, /^box-1 +Ready +\d+s +127\.0\.0\.1 +\d\S+ +docker \S+ +\d+% +\S+iB \/ /m);
    assert.equal((parse(await ctl(admin(), "get", "nodes", "-o", "yaml")) as NodeView[])[0]?.name, "box-1");
    const words = await ctl(admin(), "describe", "node", "box-1");
    for (const line of [/^Name: +box-1$/m, /^Engine: +docker /m, /^Memory: .* \/ /m, /^Heartbeat: +every 1s$/m])
      assert.match(words, line);
  });

  test("a host whose token names another server sends nothing, and says so", async () => {
    const [, token = ""] = /--token (\S+)/.exec(await ctl(admin(), "nodes", "add", "box-2")) ?? [];
    const pinned = `${token.split(".")[0]}.${"A".repeat(43)}`;
    const agent = await startAgent({ engine, flags: ["-S", server.url, "--token", pinned] });
    agents.push(agent);
    await until("the refusal", () => /is not the server that this host registered with/.test(agent.log()));
    assert.match(await (await agent.fetch("/readyz")).text(), /"state":"refused"/);
    assert.equal((await node("box-2")).status, "Pending");
  });

  test("disable, enable, set and rotate change the host, and a watch tells of it", async () => {
    const watch = startCtl(admin(), "get", "nodes", "--watch");
    await watch.says(/box-1 +Ready /);
    assert.equal(await ctl(admin(), "nodes", "disable", "box-1"), "box-1\n");
    await watch.says(/box-1 +Ready,Disabled /);
    await ctl(admin(), "nodes", "enable", "box-1");
    watch.child.kill("SIGINT");
    await watch.ended;
    await ctl(admin(), "nodes", "set", "box-1", "heartbeat_interval=2s", "gpu-metrics=false");
    const { settings, key } = await node("box-1");
    assert.deepEqual([settings.enabled, settings.heartbeatInterval, settings.gpuMetrics], [true, 2_000, false]);
    await ctl(admin(), "nodes", "set", "box-1", "heartbeat_interval=");
    assert.equal((await node("box-1")).settings.heartbeatInterval, 1_000);
    await ctl(admin(), "nodes", "rotate", "box-1");
    await until("another key", async () => (await node("box-1")).key?.id !== key?.id);
  });

  test("of a host that is away nothing is told as if it were so now: rows and description name its last report", async () => {
    const [, flags = ""] = /(-S .*)\n/.exec(await ctl(admin(), "nodes", "add", "leaves")) ?? [];
    const agent = await startAgent({ engine, flags: flags.split(" ") });
    agents.push(agent);
    await until("its sessions' line", async () => (await node("leaves")).beat?.gatewayStatus === "connected");
    const row = async () => /^leaves .*$/m.exec(await ctl(admin(), "get", "nodes", "-o", "wide"))?.[0] ?? "";
    assert.match(await row(), / +Ready .* connected$/);
    assert.match(await ctl(admin(), "describe", "node", "leaves"), /^Gateway: +connected$/m);
    agent.kill("SIGKILL");
    await until("NotReady", async () => (await node("leaves")).status === "NotReady");
    assert.match(await row(), / +NotReady .* docker \S+ +- +- +- +- +- +-$/);
    const words = await ctl(admin(), "describe", "node", "leaves");
    assert.match(words, /^Last report: +\d+s ago$/m);
    assert.doesNotMatch(words, /Gateway|busy|running|Memory/);
    await ctl(admin(), "nodes", "remove", "leaves");
  });

  test("a watch tells which host was removed, in rows and as data", async () => {
    assert.equal((await runCtl(admin(), ["get", "nodes", "brief", "--watch"])).code, 125);
    await ctl(admin(), "nodes", "add", "brief");
    const rows = startCtl(admin(), "get", "nodes", "brief", "--watch");
    const data = startCtl(admin(), "get", "nodes", "brief", "--watch", "-o", "json");
    await Promise.all([rows.says(/brief +Pending /), data.says(/"name":"brief"/)]);
    await ctl(admin(), "nodes", "disable", "brief");
    await ctl(admin(), "nodes", "remove", "brief");
    await rows.says(/brief +Removed /);
    await data.says(/"name":"brief","uid":"[^"]+","status":"Removed"/);
    for (const { child, ended } of [rows, data]) {
      child.kill("SIGINT");
      await ended;
    }
  });

  test("what is asked of one host says which hosts there are to name", async () => {
    for (const args of [
      ["ps"],
      ["ps", "--watch"],
      ["top"],
      ["top", "-o", "json"],
      ["inspect", "web"],
      ["restart", "web"],
      ["open", "web"],
      ["open", "web", "80"],
    ]) {
      const { code, stderr } = await runCtl(admin(), args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, /^ctl: This is a server: name the node, as NODE:container, or with --node .*--all-nodes\n$/);
    }
  });

  test("what was done to containers of hosts is told with the host's name, to be typed again", async () => {
    await engine.run("fleet-named");
    const named = "box-1:fleet-named";
    assert.equal(await ctl(admin(), "restart", "-t", "0", named), `${named}\n`);
    assert.equal(await ctl(admin(), "inspect", "-o", "name", named), `${named}\n`);
    assert.equal(await ctl(admin(), "rm", "--force", named), `${named}\n`);
  });

  test("a container's page is opened at the server; where that has no address for pages, through a local port", async () => {
    const serve = "mkdir /www && echo from box-1 > /www/index.html && exec httpd -f -p 80 -h /www";
    await engine.run("fleet-page", { command: ["sh", "-c", serve] });
    await until("the page", () =>
      engine.docker("exec", "fleet-page", "wget", "-qO-", "127.0.0.1").catch(() => undefined),
    );
    const page = async (url: string) => (await promisify(execFile)("curl", ["-skL", "--cookie", "", url])).stdout;
    const url = (await ctl(admin(), "open", "--no-browser", "box-1:fleet-page", "80")).trim();
    assert.match(url, /^https:\/\/box-1-fleet-page-80-[0-9a-f]{24}\.localhost:\d+\//);
    assert.equal(await page(url), "from box-1\n");

    const rights = ["--rights", "list,inspect,proxy,forward", "--node", "box-1"];
    const secret = (await ctl(admin(), "tokens", "add", "pages", ...rights)).trim();
    const address = `https://${outsideAddress()}:${new URL(server.url).port}`;
    const there = { FAIRLEAD_SERVER: address, FAIRLEAD_PIN: server.pin ?? "", FAIRLEAD_TOKEN: secret };
    const elsewhere = { env: { ...user("elsewhere").env, ...there } };
    const open = startCtl(elsewhere, "open", "--no-browser", "box-1:fleet-page", "80");
    const [local = ""] = await open.says(/http:\/\/127\.0\.0\.1:\d+\//);
    assert.equal(await page(local), "from box-1\n");
    open.child.kill("SIGINT");
    assert.equal((await open.ended).code, 130);
    await engine.docker("rm", "--force", "fleet-page");
  });

  test("a disabled host takes no new work and says so, at the server and at its agent; what is open goes on", async () => {
    await engine.run("fleet-work");
    const open = startCtl(admin(), "exec", "-i", "box-1:fleet-work", "cat");
    open.child.stdin.write("before\n");
    await open.says(/before/);
    await ctl(admin(), "nodes", "disable", "box-1");
    const words = /[Tt]he host box-1 is disabled: .*ctl nodes enable box-1/;
    for (const args of [
      ["exec", "box-1:fleet-work", "true"],
      ["logs", "box-1:fleet-work"],
      ["port-forward", "box-1:fleet-work", ":80"],
      ["cp", "box-1:fleet-work:/etc/hostname", "-"],
      ["restart", "box-1:fleet-work"],
    ]) {
      const { code, stderr } = await runCtl(admin(), args);
      assert.match(`${code} ${stderr}`, words, args[0]);
      assert.equal(code, 125);
    }
    assert.match(await ctl(admin(), "ps", "--node", "box-1"), /fleet-work/);
    open.child.stdin.end("after\n");
    assert.equal((await open.ended).stdout.toString(), "before\nafter\n");
    // A log over HTTP is only looked at, as far as the server knows; the agent hears with its next report.
    const log = { path: "/api/v1/nodes/box-1/containers/fleet-work/logs" };
    const refused = () =>
      server.atHome(log).then(
        () => false,
        (error: unknown) => /node-disabled/.test(String(error)),
      );
    await until("the agent's own refusal", refused);
    const [own] = agents;
    assert.equal((await own?.fetch("/api/v1/containers/fleet-work/logs"))?.status, 200, "the host's own people go on");
    await ctl(admin(), "nodes", "enable", "box-1");
    const works = async () => (await runCtl(admin(), ["exec", "box-1:fleet-work", "true"])).code === 0;
    await until("its next report, from which on it takes work", works);
  });

  test("audit is the server's own, and with --node the host's; each has its chain, and a change in it shows", async () => {
    const own = await ctl(admin(), "audit");
    assert.match(own, /^\S+Z +change +nodes add +token:me@test-\w+ +box-1 *$/m);
    assert.match(await ctl(admin(), "audit", "--node", "box-1"), /^\S+Z +agent-started$/m);
    const whole = /^\d+ records, all as they were written; the last is \d+, [0-9a-f]{64}\n$/;
    assert.match(await ctl(admin(), "audit", "verify", "--node", "box-1"), whole);
    assert.match(await ctl(admin(), "audit", "verify"), whole);
    const path = join(server.stateDir, "log", "audit.log");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replace('"node":"box-1"', '"node":"box-9"'));
    const verdict = await runCtl(admin(), ["audit", "verify"]);
    await writeFile(path, text);
    assert.equal(verdict.code, 1);
    assert.match(verdict.stdout.toString(), /^audit\.log:\d+: the line was changed or cut off/);
  });

  test("events are the hosts', and with --node those of its containers", async () => {
    assert.match(await ctl(admin(), "events"), /^TIME +NODE +EVENT +MESSAGE\n(.*\n)*.*Z +box-1 +NodeReady +/);
    const since = JSON.parse(await ctl(admin(), "events", "--since", "1h", "-o", "json")) as { type: string }[];
    assert.ok(since.some(({ type }) => type === "NodeAdded"));
    assert.deepEqual(JSON.parse(await ctl(admin(), "events", "--until", "1h", "-o", "json")), []);
    const follow = startCtl(admin(), "events", "-f", "--since", "0s");
    await follow.says(/TIME +NODE/);
    await ctl(admin(), "nodes", "disable", "box-1");
    await follow.says(/ box-1 +NodeDisabled /);
    await ctl(admin(), "nodes", "enable", "box-1");
    follow.child.kill("SIGINT");
    await follow.ended;
    await engine.run("fleet-events");
    await until("what the host tells", async () =>
      / fleet-events +start/.test(await ctl(admin(), "events", "--node", "box-1", "--since", "1h")),
    );
    await engine.docker("rm", "--force", "fleet-events");
  });

  test("add --here keeps what this machine's own agent needs, which then needs no flags", async () => {
    assert.equal(await ctl(admin(), "nodes", "add", "--here", "desk"), "fairlead agent\n");
    const XDG_CONFIG_HOME = admin().env["XDG_CONFIG_HOME"] ?? "";
    const file = join(XDG_CONFIG_HOME, "fairlead", "credentials.json");
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    agents.push(await startAgent({ engine, env: { XDG_CONFIG_HOME } }));
    await until("desk to be Ready", async () => (await node("desk")).status === "Ready");
    assert.equal((await node("desk")).facts?.mode, "byom");
    await ctl(admin(), "nodes", "remove", "desk");
  });

  test("a mistake is told with the way out", async () => {
    for (const [args, exit, words] of [
      [["nodes", "set", "box-1", "colour=red"], 2, /no setting.*heartbeat_interval/],
      [["nodes", "set", "box-1", "heartbeat_interval=soon"], 2, /no value of heartbeat_interval/],
      [["nodes", "set", "box-1", "heartbeat_interval=1ms"], 2, /heartbeatInterval, which must be from 1s to 24h/],
      [["nodes", "add", "my box"], 2, /name, which must be letters, digits and/],
      [["nodes", "add", "box-1"], 125, /There is a host called box-1/],
      [["nodes", "remove", "nobody"], 125, /no host called nobody/],
      [["describe", "node", "nobody"], 125, /no host called nobody/],
      [["get", "nodes", "nobody"], 125, /no host called nobody/],
      [["login"], 2, /Name the server/],
      [["tokens", "add", "x", "--rights", "dance"], 2, /no right. There are: list, /],
      [["tokens", "add", "x", "--rights", "list", "--scope", "web"], 2, /no scope. Write NAME=VALUE/],
      [["tokens", "add", "x", "--rights", "list", "--lifetime", "soon"], 2, /no lifetime/],
      [["tokens", "add", "at night", "--rights", "list"], 2, /name, which must be letters, digits and/],
      [["tokens", "remove", "x"], 125, /no token called x/],
    ] as const) {
      const { code, stderr } = await runCtl(admin(), [...args]);
      assert.equal(code, exit, `${args.join(" ")}: ${stderr}`);
      assert.match(stderr, words);
    }
  });

  test("a host that was removed is gone, its agent is told, and what was open there ends at once, though it was to be kept", async () => {
    const open = startCtl(
      admin(),
      "exec",
      "--on-drop=keep",
      "--keep=60s",
      "box-1:fleet-work",
      "sh",
      "-c",
      "echo here; exec sleep 1234",
    );
    await open.says(/here/);
    const started = performance.now();
    assert.equal(await ctl(admin(), "nodes", "remove", "box-1", "box-2"), "box-1\nbox-2\n");
    assert.notEqual((await open.ended).code, 0);
    const processes = async () => await engine.docker("top", "fleet-work");
    await until("its process to be gone", async () => !(await processes()).includes("sleep 1234"));
    assert.ok(performance.now() - started < 30_000);
    assert.equal(await ctl(admin(), "get", "nodes", "-o", "name"), "");
    await until("the agent to hear of it", () => /ctl nodes add box-1/.test(agents[0]?.log() ?? ""));
  });
});
