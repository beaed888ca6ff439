import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { FleetEvents } from "../../src/protocol/events.ts";
import { BEAT_PATH, BeatReply } from "../../src/protocol/fleet.ts";
import { NodeList, type NodeView } from "../../src/protocol/node.ts";
import { BEAT, TestHost } from "../support/host.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

/** More than is accepted, also where a second or two pass meanwhile. */
const SKEW_MS = 90_000;
/** How long a token is good where one is to end, in milliseconds. */
const BRIEF_MS = 1_000;

suite("how a host gets in, and who does not", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.stop());

  async function add(name: string): Promise<string> {
    return (await server.post<{ token: string }>("/api/v1/nodes", { name })).token;
  }

  async function joined(name: string): Promise<TestHost> {
    const host = new TestHost(server.url);
    assert.equal((await host.bootstrap(await add(name))).status, 200);
    assert.equal((await host.beat()).status, 200);
    return host;
  }

  const node = (name: string) => server.json<NodeView>(`/api/v1/nodes/${name}`);

  async function told(name: string): Promise<string[]> {
    const { events } = FleetEvents.parse(await server.json("/api/v1/events?limit=1000"));
    return events.filter((event) => event.node === name).map(({ type }) => type);
  }

  test("a host that was added is Pending, registered with its token it is NotReady, and Ready with its first report", async () => {
    const token = await add("first");
    assert.equal((await node("first")).status, "Pending");
    const host = new TestHost(server.url);
    await host.bootstrap(token, { name: "anything", hostname: "first.example" });
    assert.deepEqual([(await node("first")).status, host.name], ["NotReady", "first"]);
    const reply = BeatReply.parse((await host.beat()).body);
    assert.deepEqual([reply.settings.heartbeatInterval, reply.rotate], [10_000, false]);
    const { status, facts, beat, address } = await node("first");
    assert.deepEqual(
      [status, facts?.hostname, beat?.cpuUsage, address],
      ["Ready", "first.example", BEAT.cpuUsage, "127.0.0.1"],
    );
    assert.deepEqual(await told("first"), ["NodeAdded", "NodeRegistered", "NodeReady"]);
    const list = NodeList.parse(await server.json("/api/v1/nodes"));
    assert.ok(list.nodes.some(({ name }) => name === "first"));
  });

  test("a token is good once; the same key may ask again, because the answer may have been lost", async () => {
    const token = await add("once");
    const host = new TestHost(server.url);
    await host.bootstrap(token);
    assert.equal((await host.bootstrap(token)).status, 200);
    assert.equal((await host.beat()).status, 200);
    const thief = await new TestHost(server.url).bootstrap(token);
    assert.deepEqual([thief.status, thief.code], [401, "unauthenticated"]);
    assert.match(thief.detail, /used already.*ctl nodes add once/);
  });

  test("a token is told once, and stands neither in an answer after that nor in the log nor in the database (CVE-2025-64423)", async () => {
    const [token = ""] = (await add("secret")).split(".");
    const paths = ["/api/v1/nodes", "/api/v1/nodes/secret", "/api/v1/events?limit=1000", "/api/v1/audit"];
    for (const path of paths) {
      const text = await (await server.fetch(path)).text();
      assert.ok(text.includes("secret") && !text.includes(token), path);
    }
    assert.ok(!server.log().includes(token));
    const files = (await readdir(server.stateDir)).filter((name) => name.startsWith("server.db"));
    const contents = await Promise.all(files.map((name) => readFile(join(server.stateDir, name))));
    assert.ok(contents.some((bytes) => bytes.includes("secret")));
    assert.ok(contents.every((bytes) => !bytes.includes(token)));
  });

  test("an expired token, a wrong one and one of a host that was removed are refused", async (t) => {
    const removed = await add("removed");
    await server.fetch("/api/v1/nodes/removed", { method: "DELETE" });
    assert.equal((await new TestHost(server.url).bootstrap(removed)).status, 401);
    const wrong = await new TestHost(server.url).bootstrap(`flb_${"x".repeat(43)}`);
    assert.match(`${wrong.status} ${wrong.detail}`, /401 .*not known here/);
    // On a server of its own: the other hosts need their tokens for longer.
    const brief = await startServer({ flags: ["--bootstrap-lifetime", `${BRIEF_MS}ms`] });
    t.after(() => brief.stop());
    const { token } = await brief.post<{ token: string }>("/api/v1/nodes", { name: "late" });
    const end = Date.now() + BRIEF_MS;
    await until("the token's end", () => Date.now() > end);
    const late = await new TestHost(brief.url).bootstrap(token);
    assert.match(`${late.status} ${late.detail}`, /401 .*has expired/);
  });

  test("a key without its private half does not get a token's place", async () => {
    const host = new TestHost(server.url);
    const honest = host.key;
    host.key = { ...new TestHost(server.url).key, publicKey: honest.publicKey };
    assert.equal((await host.bootstrap(await add("proof"))).status, 401);
  });

  test("the same request twice is refused, and so is one with another body, path or time", async () => {
    const host = await joined("replay");
    const body = JSON.stringify(BEAT);
    const headers = host.headers(BEAT_PATH, body);
    assert.equal((await host.send(BEAT_PATH, { headers, body })).status, 200);
    assert.equal((await host.send(BEAT_PATH, { headers, body })).code, "replayed");
    const other = JSON.stringify({ ...BEAT, cpuUsage: 99 });
    const altered = await host.send(BEAT_PATH, { headers: host.headers(BEAT_PATH, body), body: other });
    assert.match(`${altered.status} ${altered.detail}`, /401 .*not the one that was signed/);
    const elsewhere = await host.send("/api/v1/agent/key", { headers: host.headers(BEAT_PATH, body), body });
    assert.equal(elsewhere.status, 401);
    assert.notEqual((await node("replay")).beat?.cpuUsage, 99);
  });

  test("a clock that is more than a minute off is refused with what to do, and half a minute is fine", async () => {
    const host = await joined("clock");
    for (const [ms, words] of [
      [SKEW_MS, "ahead of"],
      [-SKEW_MS, "behind"],
    ] as const) {
      const { code, detail } = await host.signed(BEAT_PATH, BEAT, Date.now() + ms);
      assert.equal(code, "clock-skew");
      assert.match(detail, new RegExp(`\\d+ s ${words} .*Synchronise`));
    }
    assert.equal((await host.signed(BEAT_PATH, BEAT, Date.now() + 30_000)).status, 200);
  });

  test("of two hosts with one identity the one that registered first is told so at its next report", async () => {
    const host = await joined("twin");
    const copy = host.clone();
    assert.equal((await copy.register({ hostname: "copy.example" })).status, 200);
    assert.equal((await copy.beat()).status, 200);
    assert.equal((await host.beat()).code, "stale-epoch");
    const refused = await host.register();
    assert.equal(refused.code, "cloned-identity");
    assert.match(refused.detail, /copy.*ctl nodes add/);
    assert.equal((await host.register()).code, "cloned-identity");
    assert.equal((await told("twin")).filter((type) => type === "NodeCloned").length, 1);
    assert.equal((await copy.beat()).status, 200);
  });

  test("a registration whose answer is lost, even twice, can be done again", async () => {
    const host = await joined("lost");
    const { epoch } = host;
    await host.register();
    host.epoch = epoch;
    await host.register();
    host.epoch = epoch;
    assert.equal((await host.register()).status, 200);
    assert.equal((await host.beat()).status, 200);
  });

  test("a server that went back to a backup takes its hosts back, whatever their epoch", async () => {
    const host = await joined("ahead");
    host.epoch += 5;
    assert.equal((await host.beat()).code, "stale-epoch");
    assert.equal((await host.register()).status, 200);
    assert.equal((await host.beat()).status, 200);
  });

  test("a new key is good at once, and the old one until the new one was used", async () => {
    const host = await joined("keys");
    await server.post("/api/v1/nodes/keys/rotate");
    assert.equal(BeatReply.parse((await host.beat()).body).rotate, true);
    const old = host.clone();
    assert.equal((await host.changeKey()).status, 204);
    assert.equal((await old.beat()).status, 200);
    assert.equal(BeatReply.parse((await host.beat()).body).rotate, false);
    const refused = await old.beat();
    assert.deepEqual([refused.status, refused.code], [401, "revoked"]);
    assert.ok((await told("keys")).includes("NodeKeyChanged"));
  });

  test("a host that was removed is unknown, and its name can be given again without letting it in", async () => {
    const host = await joined("gone");
    assert.equal((await server.fetch("/api/v1/nodes/gone", { method: "DELETE" })).status, 204);
    assert.equal((await host.beat()).code, "unknown-node");
    const next = await joined("gone");
    assert.equal((await host.register()).code, "unknown-node");
    assert.equal((await next.beat()).status, 200);
    assert.equal((await server.fetch("/api/v1/nodes", adding("gone"))).status, 409);
  });

  test("a disabled host goes on reporting, and is told with the next reply", async () => {
    const host = await joined("resting");
    await server.post("/api/v1/nodes/resting/disable");
    assert.equal(BeatReply.parse((await host.beat()).body).settings.enabled, false);
    assert.equal((await node("resting")).settings.enabled, false);
    await server.post("/api/v1/nodes/resting/enable");
    assert.equal(BeatReply.parse((await host.beat()).body).settings.enabled, true);
    assert.deepEqual((await told("resting")).slice(-2), ["NodeDisabled", "NodeEnabled"]);
  });

  test("without a signature, with a person's token, or with nonsense nobody comes in where agents do", async () => {
    const host = await joined("door");
    const body = JSON.stringify(BEAT);
    for (const headers of [
      { authorization: `Bearer ${server.token}` },
      { ...host.headers(BEAT_PATH, body), "fairlead-epoch": "1; DROP" },
      { ...host.headers(BEAT_PATH, body), "signature-input": "fairlead=()" },
      { ...host.headers(BEAT_PATH, body), signature: `fairlead=:${"A".repeat(86)}==:` },
    ])
      assert.equal(
        (await host.send(BEAT_PATH, { headers: { "content-type": "application/json", ...headers }, body })).status,
        401,
      );
    assert.equal((await host.signed(BEAT_PATH, { ...BEAT, cpuUsage: "much" })).status, 400);
  });

  function adding(name: string) {
    return { method: "POST", body: JSON.stringify({ name }), headers: { "content-type": "application/json" } };
  }
});
