/** Fills the disks that a server writes to: it says so, refuses changes, goes on with everything else, and needs no restart. */

import assert from "node:assert/strict";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { auditFiles } from "../../src/audit/files.ts";
import { verify } from "../../src/audit/verify.ts";
import type { Client } from "../../src/client/client.ts";
import { Problem } from "../../src/protocol/errors.ts";
import { FleetEvents } from "../../src/protocol/events.ts";
import { LoginReply, TokenList } from "../../src/protocol/login.ts";
import { NodeList, type NodeView } from "../../src/protocol/node.ts";
import { auditOf, recordsIn } from "../support/audit.ts";
import { keysIn } from "../support/database.ts";
import { figuresOf } from "../support/figures.ts";
import { TestHost } from "../support/host.ts";
import { joinDesk } from "../support/line.ts";
import type { Script } from "../support/scripted-runtime.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { fill, makeRoom, mountDisk, unmount } from "./small-disk.ts";
import { connectTo } from "./stage.ts";

const DISK_BYTES = 8 * 1024 * 1024;
/** Milliseconds: it ends when the disk is full already. */
const SHORT_MS = 8_000;
/** Takes some changes more. */
const LEFT_BYTES = 128 * 1024;
/** Transactions that fail while the server is watched: a few small ones find room in what larger ones left. */
const FAILURES = 5;
const EXEC = { command: ["sh"], tty: false, stdin: true };

async function namesOfTokens(server: TestServer): Promise<string[]> {
  return TokenList.parse(await server.json("/api/v1/tokens")).tokens.map(({ name }) => name);
}

function loginWith(server: TestServer, code: string): Promise<Response> {
  const headers = { authorization: `Login ${code}`, "content-type": "application/json" };
  return server.fetch("/api/v1/login", { method: "POST", body: JSON.stringify({ name: "me" }), headers });
}

suite("a full disk under a server's data_dir", () => {
  let disk: string;
  let server: TestServer;
  let desk: Awaited<ReturnType<typeof joinDesk>>;
  let client: Client;
  let session: Awaited<ReturnType<Client["exec"]>>;
  let quiet: TestHost;
  const scripts: Script[] = [];
  const tokens = new Map<string, string>();
  const acknowledged: string[] = [];
  /** Tries to log in with a code that was made while the disk was full. */
  let login: () => Promise<Response>;
  /** When the host that was absent has reported again, while the disk was full. */
  let back = { absent: 0, there: 0 };

  before(async () => {
    disk = await mountDisk(DISK_BYTES);
    server = await startServer({ home: await mkdtemp(join(disk, "home-")), flags: ["--heartbeat-interval", "1s"] });
    desk = await joinDesk(server, "box", {
      exec: async (script) => {
        scripts.push(script);
        await script.ended;
        return { code: 0 };
      },
    });
    client = connectTo(server);
    session = await client.exec("web", EXEC, { node: "box" });
    for (const name of ["kept", "stolen"]) await addToken(name);
    quiet = await joined("quiet");
    await joined("silent");
    await addToken("short", { lifetime: SHORT_MS });
    await fill(disk, LEFT_BYTES);
  });

  after(async () => {
    await client?.close();
    await desk?.close();
    await server?.stop();
    await unmount(disk);
  });

  async function joined(name: string): Promise<TestHost> {
    const host = new TestHost(server.url);
    const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name });
    assert.equal((await host.bootstrap(token)).status, 200);
    assert.equal((await host.beat()).status, 200);
    return host;
  }

  async function addToken(name: string, more: object = {}): Promise<void> {
    const wish = { name, rights: ["list"], ...more };
    tokens.set(name, (await server.post<{ token: string }>("/api/v1/tokens", wish)).token);
  }

  async function statusWith(name: string): Promise<number> {
    const headers = { authorization: `Bearer ${tokens.get(name)}` };
    return (await server.fetch("/api/v1/nodes", { headers })).status;
  }

  async function addNode(name: string): Promise<Problem | undefined> {
    const headers = { "content-type": "application/json" };
    const answer = await server.fetch("/api/v1/nodes", { method: "POST", body: JSON.stringify({ name }), headers });
    if (answer.status !== 201) return Problem.parse(await answer.json());
    acknowledged.push(name);
    return undefined;
  }

  const statusOf = async (name: string) => (await server.json<NodeView>(`/api/v1/nodes/${name}`)).status;
  const figure = async (name: string) => (await figuresOf(server))(`fairlead_database_${name}`);
  const told = (words: string) => server.log().split(words).length - 1;

  test("refuses changes, and says what is full and where", async () => {
    for (let i = 0; ; i++) {
      const problem = await addNode(`n${i}`);
      if (!problem) continue;
      if (problem.code === "audit-unavailable") {
        assert.match(problem.detail, /^This was done \(nodes add\), but/);
        continue;
      }
      assert.equal(problem.code, "storage-unavailable");
      const words =
        /^The disk with the server's database, \/\S+\/server\.db, is full: make room there, then try again\.$/;
      assert.match(problem.detail, words);
      assert.equal(problem.status, 503);
      break;
    }
    assert.ok(acknowledged.length > 0);
    // What was too little for a large change may do for a small one.
    await fill(disk);
  });

  test("ends a token whose time is over", async () => {
    await until("its end", async () => (await statusWith("short")) === 401);
    assert.deepEqual(await namesOfTokens(server), ["kept", "stolen"]);
    await until("words", () => told("taking tokens that have ended off the disk: not now") > 0);
  });

  test("ends a token that is withdrawn, and says that this may not last", async () => {
    const answer = await server.fetch("/api/v1/tokens/stolen", { method: "DELETE" });
    const { code, detail } = Problem.parse(await answer.json());
    assert.equal(code, "storage-unavailable");
    assert.match(
      detail,
      /^The token stolen is good for nothing any more, but .* a restart would bring it back\. The disk/,
    );
    assert.equal(await statusWith("stolen"), 401);
    assert.deepEqual(await namesOfTokens(server), ["kept"]);
  });

  test("notices that a host does not report, and takes its next report", async () => {
    assert.equal((await quiet.beat()).status, 200);
    await until("its absence", async () => (await statusOf("quiet")) === "NotReady");
    await until("words", () => told("writing down which hosts do not report: not now") > 0);
    const absent = Date.now();
    assert.equal((await quiet.beat()).status, 200);
    assert.equal(await statusOf("quiet"), "Ready");
    back = { absent, there: Date.now() };
  });

  test("keeps a one-time login for when there is room", async () => {
    const { code } = await server.post<{ code: string }>("/api/v1/codes");
    login = () => loginWith(server, code);
    for (let i = 0; i < 2; i++) assert.equal(Problem.parse(await (await login()).json()).code, "storage-unavailable");
  });

  test("stops no session, and lets new ones begin", async () => {
    const [first] = scripts;
    await first?.print("still here");
    const { value } = await session.packets().next();
    assert.equal(value?.type === "stdout" && Buffer.from(value.bytes).toString(), "still here");
    await (await client.exec("web", EXEC, { node: "box" })).close();
  });

  test("is told by a figure, and in the log once", async () => {
    const failures = async () => figure("failures_total");
    const more = async () => {
      const before = await failures();
      await until("failures", async () => (await failures()) >= before + FAILURES);
    };
    const lines = () => ["changes are refused until", ": not now; it is tried again"].map(told);
    await more();
    const before = lines();
    await more();
    assert.deepEqual(lines(), before);
    assert.equal(await figure("writable"), 0);
    for (const probe of ["/healthz", "/readyz"]) assert.equal((await server.fetch(probe)).status, 200);
  });

  test("needs room and nothing else: nothing that was acknowledged is lost, and what was to be done is done", async () => {
    await makeRoom(disk);
    await until("a database that can be written", async () => (await figure("writable")) === 1);
    assert.ok(told("the database can be written again") > 0);
    assert.equal(await addNode("afterwards"), undefined);
    assert.equal((await quiet.beat()).status, 200);
    const { name } = LoginReply.parse(await (await login()).json());
    const left = `token/kept,token/${name}`;
    await until("the end of the tokens on the disk", () => keysIn(server, "token/").toString() === left);
    await until("what happened to the hosts", async () => {
      const { events } = FleetEvents.parse(await server.json("/api/v1/events?limit=1000"));
      const meanwhile = events.filter(({ time }) => time >= back.absent && time <= back.there);
      const returned = meanwhile.some(({ node, type }) => node === "quiet" && type === "NodeReady");
      return returned && events.some(({ node, type }) => node === "silent" && type === "NodeNotReady");
    });
  });

  test("has written nothing half: the next server has everything, and each change its record", async () => {
    await server.end();
    server = await startServer({ before: server });
    const { nodes } = NodeList.parse(await server.json("/api/v1/nodes"));
    const names = nodes.map(({ name }) => name);
    assert.equal(nodes.find(({ name }) => name === "silent")?.status, "NotReady");
    assert.deepEqual(
      acknowledged.filter((name) => !names.includes(name)),
      [],
    );
    assert.deepEqual(
      [await statusWith("kept"), await statusWith("stolen"), await statusWith("short")],
      [200, 401, 401],
    );
    const records = await auditOf(server);
    const changed = (action: string) =>
      records.flatMap(({ kind, node, detail }) => (kind === action ? (node ?? detail ?? "") : []));
    assert.deepEqual(changed("nodes add").toSorted(), names.toSorted());
    assert.deepEqual(changed("tokens remove"), ["stolen"]);
    assert.deepEqual((await verify(await auditFiles(join(server.stateDir, "log")))).faults, []);
  });
});

suite("a full disk under a server's log_directory", () => {
  let disk: string;
  let server: TestServer;
  let desk: Awaited<ReturnType<typeof joinDesk>>;

  before(async () => {
    disk = await mountDisk();
    server = await startServer({ flags: ["--log-directory", join(disk, "log")] });
    desk = await joinDesk(server, "box", { exec: async () => ({ code: 0 }) });
    await fill(disk);
  });

  after(async () => {
    await desk?.close();
    await server?.stop();
    await unmount(disk);
  });

  test("stops no session and no login; of a change it is said that it was made, and its record follows when there is room", async () => {
    const names = ["box"];
    // What is left of the last block takes a few records more.
    const refusal = await until("a refusal", async () => {
      names.push(`n${names.length}`);
      return server.post("/api/v1/nodes", { name: names.at(-1) }).then(
        () => undefined,
        (error: Error) => error.message,
      );
    });
    assert.match(refusal, /audit-unavailable.*This was done \(nodes add\), but the audit log in log_directory cannot/);
    const listed = NodeList.parse(await server.json("/api/v1/nodes")).nodes.map(({ name }) => name);
    assert.deepEqual(listed.toSorted(), names.toSorted());
    const client = connectTo(server);
    await (await client.exec("web", EXEC, { node: "box" })).close();
    await client.close();
    // Nobody else can be told this token any more.
    const { code } = await server.post<{ code: string }>("/api/v1/codes");
    const { name, token } = LoginReply.parse(await (await loginWith(server, code)).json());
    assert.equal((await server.fetch("/api/v1/nodes", { headers: { authorization: `Bearer ${token}` } })).status, 200);
    assert.equal((await loginWith(server, code)).status, 401);
    assert.deepEqual(await namesOfTokens(server), [name]);
    await makeRoom(disk);
    const logs = join(disk, "log");
    const recorded = async () =>
      (await recordsIn(logs)).flatMap(({ kind, node }) => (kind === "nodes add" && node) || []);
    await until("the records", async () => (await recorded()).length === names.length);
    assert.deepEqual((await recorded()).toSorted(), names.toSorted());
    assert.ok((await recordsIn(logs)).some(({ kind, detail }) => kind === "login" && detail === name));
    await server.end();
    assert.deepEqual((await verify(await auditFiles(logs))).faults, []);
  });
});
