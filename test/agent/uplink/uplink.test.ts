import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { NodeView } from "../../../src/protocol/node.ts";
import type { HostUsages } from "../../../src/protocol/stats.ts";
import { type AgentOptions, startAgent, type TestAgent } from "../../support/agent.ts";
import { type Engine, sharedEngine } from "../../support/engine.ts";
import { documentWith } from "../../support/patches.ts";
import { startServer, type TestServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

interface Usages {
  hosts: Record<string, HostUsages>;
}

suite("an agent and its server", () => {
  let engine: Engine;
  let server: TestServer;
  const agents: TestAgent[] = [];
  before(async () => {
    engine = await sharedEngine();
    server = await startServer({ flags: ["--heartbeat-interval", "1s"] });
  });
  after(async () => {
    for (const agent of agents) await agent.stop();
    await server.stop();
  });

  async function tokenFor(name: string): Promise<string> {
    return (await server.post<{ token: string }>("/api/v1/nodes", { name })).token;
  }

  async function joined(name: string, more: Partial<AgentOptions> = {}): Promise<TestAgent> {
    const { flags = [], ...rest } = more;
    const token = rest.home ? [] : ["--token", await tokenFor(name)];
    return start({ engine, flags: ["-S", server.url, ...token, ...flags], ...rest });
  }

  /** Whatever becomes of the test, the agent ends. */
  async function start(options: AgentOptions): Promise<TestAgent> {
    const agent = await startAgent(options);
    agents.push(agent);
    return agent;
  }

  const node = (name: string) => server.json<NodeView>(`/api/v1/nodes/${name}`);
  const ready = (name: string) =>
    until(`${name} to be Ready`, async () => {
      const view = await node(name);
      return view.status === "Ready" && view;
    });
  const uplinkOf = async (agent: TestAgent) =>
    ((await (await agent.fetch("/readyz")).json()) as { uplink: { state: string; detail?: string } }).uplink;

  test("registers with its token, tells what the host is, and reports at once", async () => {
    const agent = await joined("first", { flags: ["--mode", "fleet"] });
    const { facts, beat } = await ready("first");
    assert.deepEqual(
      [facts?.platform, facts?.mode, facts?.containerEngines.includes("docker"), facts?.engine?.startsWith("docker ")],
      ["linux", "fleet", true, true],
    );
    assert.ok((facts?.cpuCount ?? 0) > 0 && (facts?.memoryTotal ?? 0) > 0 && facts?.hostname && facts.agentVersion);
    assert.ok(beat && beat.memoryFree > 0 && beat.memoryFree < beat.memoryTotal && beat.engineReady);
    const later = await until("measured figures", async () => {
      const { beat } = await node("first");
      return beat?.received !== undefined && beat.diskTotal !== undefined && beat;
    });
    assert.ok(later.cpuUsage >= 0 && later.cpuUsage <= 100 && (later.diskFree ?? 0) < (later.diskTotal ?? 0));
    assert.equal((await uplinkOf(agent)).state, "connected");
    const { mode } = await stat(join(agent.stateDir, "identity.json"));
    assert.equal(mode & 0o777, 0o600);
    assert.ok(!(await readFile(join(agent.stateDir, "identity.json"), "utf8")).includes("flb_"));
  });

  test("tells soon, and not with its next report, that sessions can come through the server", async () => {
    await server.post("/api/v1/nodes", { name: "reachable" });
    await server.fetch("/api/v1/nodes/reachable/settings", patching({ heartbeatInterval: 600_000 }));
    await joined("reachable");
    await until("the news", async () => (await node("reachable")).beat?.gatewayStatus === "connected");
  });

  test("serves its own host alone, and says why, where everybody could listen to what it tells the server", async () => {
    const agent = await start({ engine, flags: ["-S", "http://server-host:8090"] });
    const { detail = "" } = await until("the refusal", async () => {
      const uplink = await uplinkOf(agent);
      return uplink.state === "refused" && uplink;
    });
    assert.match(detail, /^The server http:\/\/server-host:8090 is not asked: .*https/);
    await until("its own list", async () => (await agent.fetch("/api/v1/containers")).ok);
    assert.equal(agent.log().split("is not asked").length, 2, "told once");
  });

  test("counts the containers that run, and tells what each uses", async () => {
    await joined("counting");
    const running = async () => (await node("counting")).beat?.containersRunning ?? 0;
    await until("its engine", async () => (await node("counting")).beat?.engineReady);
    const before = await running();
    await engine.run("uplink-counted");
    await until("one more", async () => (await running()) > before);
    const counted = ({ hosts }: Usages) =>
      Object.values(hosts["counting"]?.containers ?? {}).find(({ name }) => name === "uplink-counted");
    const told = await server.fetch("/api/v1/stats?watch=1");
    const used = counted(await documentWith<Usages>(told, (usages) => counted(usages) !== undefined));
    assert.ok(used);
    assert.ok(used.memory.used > 0 && used.memory.used < used.memory.limit && used.pids > 0);
    await engine.docker("rm", "--force", "uplink-counted");
  });

  test("is known again after a restart without a token, also when it was killed", async () => {
    const agent = await joined("restarted");
    const { key } = await ready("restarted");
    agent.kill("SIGKILL");
    await agent.exited;
    await until("the server to notice", async () => (await node("restarted")).status === "NotReady");
    await joined("restarted", { home: agent.home });
    assert.deepEqual((await ready("restarted")).key, key);
  });

  test("settings hold from the next report on, and a key that was asked for is made", async () => {
    const agent = await joined("settled");
    const { key } = await ready("settled");
    await server.fetch("/api/v1/nodes/settled/settings", patching({ heartbeatInterval: 1_500, keyInterval: null }));
    await until("the agent to hear of it", () => agent.log().includes('"heartbeatInterval":1500'));
    await server.post("/api/v1/nodes/settled/rotate");
    const changed = await until("another key", async () => {
      const view = await node("settled");
      return view.key?.id !== key?.id && view;
    });
    const from = changed.lastSeen ?? 0;
    await until("a report with the new key", async () => ((await node("settled")).lastSeen ?? 0) > from);
    agent.kill("SIGKILL");
    await agent.exited;
    await joined("settled", { home: agent.home });
    await until("its return", async () => ((await node("settled")).registered ?? 0) > from);
  });

  test("a host's own wish how often to report counts where the server has no setting for it", async () => {
    const agent = await joined("wishful", { flags: ["--heartbeat-interval", "2s"] });
    const interval = async () => (await ready("wishful")).settings.heartbeatInterval;
    assert.equal(await interval(), 2_000);
    await until("the agent to hear of it", () => agent.log().includes('"heartbeatInterval":2000'));
    await server.fetch("/api/v1/nodes/wishful/settings", patching({ heartbeatInterval: 3_000 }));
    assert.equal(await interval(), 3_000);
    await server.fetch("/api/v1/nodes/wishful/settings", patching({ heartbeatInterval: null }));
    assert.equal(await interval(), 2_000);
  });

  test("goes on alone while the server is away, says so, and is not missed when it comes back", async () => {
    const agent = await joined("patient");
    await ready("patient");
    const { events } = await server.json<{ events: { seq: number }[] }>("/api/v1/events?limit=1");
    server.kill("SIGKILL");
    await server.exited;
    const { detail } = await until("the agent to notice", async () => {
      const uplink = await uplinkOf(agent);
      return uplink.state === "connecting" && uplink;
    });
    assert.match(detail ?? "", /cannot be reached: nothing listens there/);
    assert.equal((await agent.fetch("/api/v1/containers")).status, 200);
    server = await startServer({ flags: ["--heartbeat-interval", "1s"], before: server });
    assert.equal((await node("patient")).status, "Ready");
    await until("its next report", async () => (await node("patient")).beat !== undefined);
    const since = await server.json<{ events: { type: string; node?: string }[] }>(
      `/api/v1/events?after=${events[0]?.seq ?? 0}`,
    );
    assert.deepEqual(
      since.events.filter((event) => event.node === "patient"),
      [],
    );
  });

  test("a host that was removed says what to do, and comes back with a new token put into its file", async () => {
    const token = join(server.home, "token-file");
    await writeFile(token, await tokenFor("removed"), { mode: 0o600 });
    const agent = await start({ engine, flags: ["-S", server.url, "--token-file", token] });
    await ready("removed");
    await server.fetch("/api/v1/nodes/removed", { method: "DELETE" });
    const { detail } = await until("the refusal", async () => {
      const uplink = await uplinkOf(agent);
      return uplink.state === "refused" && uplink;
    });
    assert.match(detail ?? "", /ctl nodes add removed/);
    await writeFile(token, await tokenFor("removed"));
    await ready("removed");
  });

  test("a copy of a host is found out", async () => {
    const agent = await joined("original");
    await ready("original");
    const { home } = agent;
    const identity = await readFile(join(agent.stateDir, "identity.json"), "utf8");
    const copy = await start({ engine, flags: ["-S", server.url, "--token", "unused"] });
    copy.kill("SIGTERM");
    await copy.exited;
    await writeFile(join(copy.stateDir, "identity.json"), identity, { mode: 0o600 });
    const twin = await joined("original", { home: copy.home });
    const { detail } = await until("one of the two to be refused", async () => {
      const both = [await uplinkOf(agent), await uplinkOf(twin)];
      return both.find(({ state }) => state === "refused");
    });
    assert.match(detail ?? "", /copy/);
    assert.ok(home !== copy.home);
  });

  function patching(settings: object) {
    return { method: "PATCH", body: JSON.stringify(settings), headers: { "content-type": "application/json" } };
  }
});
