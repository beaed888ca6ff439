import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { NodeList, type NodeView } from "../../src/protocol/node.ts";
import { TestHost } from "../support/host.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const KILLS = 10;
const HOSTS = 5;
/** Acknowledged changes after which the server is killed, in the midst of others. */
const ENOUGH = 12;

suite("a server that is killed again and again", () => {
  let server: TestServer;
  const hosts: TestHost[] = [];
  before(async () => {
    server = await startServer();
    for (let i = 0; i < HOSTS; i++) {
      const host = new TestHost(server.url);
      const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: `host-${i}` });
      await host.bootstrap(token);
      await host.beat();
      hosts.push(host);
    }
  });
  after(() => server.stop());

  /** Adds hosts until the server is gone; gives the names of those that were acknowledged. */
  async function add(round: number, worker: number, acknowledged: string[]): Promise<void> {
    for (let i = 0; ; i++) {
      const name = `r${round}-w${worker}-${i}`;
      try {
        await server.post("/api/v1/nodes", { name });
      } catch {
        return;
      }
      acknowledged.push(name);
    }
  }

  /** Keeps a host busy until the server is gone. */
  async function report(host: TestHost): Promise<void> {
    try {
      for (;;) {
        await host.register();
        await host.beat();
      }
    } catch {
      // Nobody answers any more.
    }
  }

  test("loses no acknowledged change, opens its database each time, and has all its hosts back", async () => {
    const all: string[] = [];
    for (let round = 0; round < KILLS; round++) {
      const acknowledged: string[] = [];
      const work = [0, 1, 2].map((worker) => add(round, worker, acknowledged));
      const reports = hosts.map((host) => report(host));
      await until("enough changes", () => acknowledged.length >= ENOUGH);
      server.kill("SIGKILL");
      await server.exited;
      await Promise.all([...work, ...reports]);
      all.push(...acknowledged);
      server = await startServer({ before: server });
      for (const host of hosts) {
        await until("its place", async () => (await host.register()).status === 200);
        assert.equal((await host.beat()).status, 200);
      }
    }
    const { nodes } = NodeList.parse(await server.json("/api/v1/nodes"));
    const known = new Set(nodes.map(({ name }) => name));
    assert.deepEqual(
      all.filter((name) => !known.has(name)),
      [],
    );
    const ready = nodes.filter(({ name, status }: NodeView) => name.startsWith("host-") && status === "Ready");
    assert.equal(ready.length, HOSTS);
  });
});
