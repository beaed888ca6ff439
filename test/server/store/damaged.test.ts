/** Damages records of a real server's database: it starts and does everything else, and no record gives anybody more than it did. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, suite, test } from "node:test";
import { Problem } from "../../../src/protocol/errors.ts";
import { FleetEvents } from "../../../src/protocol/events.ts";
import { TokenList } from "../../../src/protocol/login.ts";
import { NodeList } from "../../../src/protocol/node.ts";
import { figuresOf } from "../../support/figures.ts";
import { TestHost } from "../../support/host.ts";
import { startServer, type TestServer } from "../../support/server.ts";

suite("a server with a damaged record", () => {
  let server: TestServer;
  const hosts = new Map<string, TestHost>();
  const tokens = new Map<string, string>();
  /** Of a host that has not come. */
  let bootstrap: string;

  before(async () => {
    server = await startServer();
    for (const name of ["fine", "rotten"]) {
      const host = new TestHost(server.url);
      await host.bootstrap((await server.post<{ token: string }>("/api/v1/nodes", { name })).token);
      await host.beat();
      hosts.set(name, host);
    }
    for (const name of ["fine", "limited", "over", "rotten"]) {
      const wish = { name, rights: ["list"], nodes: ["fine"], lifetime: 3_600_000 };
      tokens.set(name, (await server.post<{ token: string }>("/api/v1/tokens", wish)).token);
    }
    bootstrap = (await server.post<{ token: string }>("/api/v1/nodes", { name: "later" })).token;
    await new TestHost(server.url).bootstrap(bootstrap);
  });
  after(() => server.stop());

  /** While no server runs. */
  function damage(sql: string): void {
    const db = new DatabaseSync(join(server.stateDir, "server.db"));
    db.exec(sql);
    db.close();
  }

  async function restart(sql: string): Promise<void> {
    await server.end();
    damage(sql);
    server = await startServer({ before: server });
  }

  const get = (path: string, token: string) =>
    server.fetch(path, { headers: { authorization: `Bearer ${tokens.get(token)}` } });

  async function problemOf(answer: Promise<Response>): Promise<Problem> {
    return Problem.parse(await (await answer).json());
  }

  function adding(name: string): Promise<Response> {
    const headers = { "content-type": "application/json" };
    return server.fetch("/api/v1/nodes", { method: "POST", body: JSON.stringify({ name }), headers });
  }

  const replaced = (key: string, from: string, to: string) =>
    `UPDATE entries SET value = replace(value, '${from}', '${to}') WHERE key = '${key}';`;

  test("starts, says which one it is, and does everything else", async () => {
    await restart(
      [
        "UPDATE entries SET value = substr(value, 1, 40) WHERE key IN ('node/rotten', 'token/rotten');",
        // A letter of a name is enough to make a limit disappear.
        replaced("token/limited", '"nodes"', '"nodez"'),
        replaced("token/over", '"expires"', '"expirez"'),
        "UPDATE entries SET value = replace(value, 'usedBy', 'usedBx') WHERE key LIKE 'bootstrap/%';",
        "UPDATE entries SET value = 'rot' WHERE key = 'place/last';",
        "UPDATE journal SET value = 'rot' WHERE seq = 2;",
      ].join("\n"),
    );
    for (const key of ["node/rotten", "token/rotten", "token/limited", "token/over"]) {
      const line = new RegExp(`"shelf":"(node|token)","key":"${key}","why":"[^"].*cannot be understood`, "g");
      assert.equal(server.log().match(line)?.length, 1, `${key} in ${server.log()}`);
    }
    assert.equal((await (hosts.get("fine") as TestHost).beat()).status, 200);
    const { nodes } = NodeList.parse(await (await get("/api/v1/nodes", "fine")).json());
    assert.deepEqual(
      nodes.map(({ name, status }) => [name, status]),
      [["fine", "Ready"]],
    );
    const { events } = FleetEvents.parse(await server.json("/api/v1/events"));
    assert.ok(events.length > 3 && !events.some(({ seq }) => seq === 2));
    assert.ok((await figuresOf(server))("fairlead_database_damaged_records") >= 5);
  });

  test("lets nobody in by a damaged token, which can be withdrawn", async () => {
    for (const name of ["rotten", "limited", "over"])
      assert.equal((await get("/api/v1/nodes", name)).status, 401, name);
    const { tokens: listed } = TokenList.parse(await server.json("/api/v1/tokens"));
    assert.deepEqual(
      listed.map(({ name }) => name),
      ["fine"],
    );
    const body = JSON.stringify({ name: "rotten", rights: ["list"] });
    const again = () =>
      server.fetch("/api/v1/tokens", { method: "POST", body, headers: { "content-type": "application/json" } });
    const { code, detail } = await problemOf(again());
    assert.equal(code, "damaged-record");
    assert.match(detail, /^The record token\/rotten .* damaged .* Withdraw it \(ctl tokens remove rotten\)/);
    assert.equal((await server.fetch("/api/v1/tokens/rotten", { method: "DELETE" })).status, 204);
    assert.equal((await again()).status, 201);
    assert.equal((await get("/api/v1/nodes", "rotten")).status, 401);
  });

  test("gives the name of a damaged host to nobody, and lets nobody in under it, until it is removed", async () => {
    const words = /^The record node\/rotten .* Remove the host and add it again \(ctl nodes remove rotten\)/;
    for (const asked of [adding("rotten"), server.fetch("/api/v1/nodes/rotten")]) {
      const { code, detail } = await problemOf(asked);
      assert.equal(code, "damaged-record");
      assert.match(detail, words);
    }
    const host = hosts.get("rotten") as TestHost;
    for (const answer of [await host.beat(), await host.register()]) assert.equal(answer.code, "damaged-record");
    assert.equal((await server.fetch("/api/v1/nodes/rotten", { method: "DELETE" })).status, 204);
    assert.equal((await adding("rotten")).status, 201);
    assert.equal((await host.beat()).code, "unknown-node");
  });

  test("takes no one-time token again whose record has lost by whom it was used", async () => {
    const answer = await new TestHost(server.url).bootstrap(bootstrap);
    assert.equal(answer.code, "damaged-record");
    assert.match(answer.detail, /Get a new token with: ctl nodes add NAME$/);
  });

  test("starts where two tokens have one secret, and with a record in the place of another", async () => {
    await restart(
      [
        "INSERT INTO entries SELECT 'token/g', replace(value, '\"name\":\"fine\"', '\"name\":\"g\"'), 100000 FROM entries WHERE key = 'token/fine';",
        "INSERT INTO entries SELECT 'node/other', value, 100001 FROM entries WHERE key = 'node/fine';",
      ].join("\n"),
    );
    assert.equal((await get("/api/v1/nodes", "fine")).status, 200);
    assert.equal((await problemOf(server.fetch("/api/v1/nodes/other"))).code, "damaged-record");
    assert.match(server.log(), /"key":"token\/g"/);
  });

  test("does not start without the key that its hosts know, and says what to do", async () => {
    await server.end();
    damage("CREATE TABLE kept AS SELECT * FROM entries WHERE key = 'key/grant';");
    for (const value of ["rot", '{"pem":"-----BEGIN PRIVATE KEY-----\\nrot"}']) {
      damage(`UPDATE entries SET value = '${value}' WHERE key = 'key/grant';`);
      await assert.rejects(
        startServer({ before: server }),
        /ended with 1: .*cannot start: The record key\/grant .* damaged .*go back to a backup of server\.db.*sqlite3/s,
      );
    }
    damage("UPDATE entries SET value = (SELECT value FROM kept) WHERE key = 'key/grant'; DROP TABLE kept;");
    server = await startServer({ before: server });
    assert.equal((await (hosts.get("fine") as TestHost).beat()).status, 200);
  });

  test("asks for no first administrator where all tokens are damaged", async () => {
    await restart("UPDATE entries SET value = 'rot' WHERE key LIKE 'token/%';");
    assert.equal(server.code, undefined);
    assert.equal((await get("/api/v1/nodes", "fine")).status, 401);
  });
});
