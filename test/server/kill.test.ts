/** The server is killed in the midst of its work, again and again. FAIRLEAD_KILLS asks for another number (`npm run faults`: 200). */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { FairleadError } from "../../src/protocol/errors.ts";
import { NodeList, type NodeView } from "../../src/protocol/node.ts";
import { connectTo } from "../fault/stage.ts";
import { TestHost } from "../support/host.ts";
import { Proxy } from "../support/proxy.ts";
import { joinDesk } from "../support/line.ts";
import type { Script } from "../support/scripted-runtime.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const KILLS = Number(process.env["FAIRLEAD_KILLS"] ?? 10);
const HOSTS = 5;
/** Acknowledged changes after which the server is killed, in the midst of others. */
const ENOUGH = 12;
/** Milliseconds; longer than a server is away. */
const GRACE = 60_000;

function unlessAway(error: unknown): undefined {
  if (!(error instanceof FairleadError) || error.code !== "agent-away") throw error;
}

suite("a server that is killed again and again", () => {
  let server: TestServer;
  let desk: Awaited<ReturnType<typeof joinDesk>>;
  /** Between the desk and the server. */
  let cable: Proxy;
  /** The processes on that desk. */
  const scripts: Script[] = [];
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
    cable = await Proxy.start({ port: Number(new URL(server.url).port) });
    desk = await joinDesk(server, "box", {
      port: cable.port,
      exec: async (script) => {
        scripts.push(script);
        await script.ended;
        return { code: 0 };
      },
    });
  });
  after(async () => {
    await desk.close();
    await cable[Symbol.asyncDispose]();
    await server.stop();
  });

  const killAndStart = async () => {
    server.kill("SIGKILL");
    await server.exited;
    server = await startServer({ before: server });
  };

  /** Somebody with a token of his own, and a session of his on the host that is kept for him. */
  async function guest(name: string) {
    const { token } = await server.post<{ token: string }>("/api/v1/tokens", { name, rights: ["exec"] });
    const client = connectTo({ url: server.url, token });
    const body = { command: ["sh"], tty: false, stdin: true };
    const open = () => client.exec("web", body, { node: "box", onDrop: "keep", grace: GRACE });
    // After a kill its agent takes a moment to be back.
    const session = await until("its agent", () => open().catch(unlessAway));
    return { client, session, subject: `server:token:${name}` };
  }

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
      await killAndStart();
      await Promise.all([...work, ...reports]);
      all.push(...acknowledged);
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

  test("lets no session live on rights of whose withdrawal the agent had not heard, and ends no other one", async () => {
    const stays = await guest("stays");
    const [process] = scripts;
    const said = stays.session.packets();
    for (let round = 0; round < KILLS; round++) {
      const goes = await guest(`goes-${round}`);
      const line = cable.connections.at(-1);
      line?.stall("down");
      assert.equal((await server.fetch(`/api/v1/tokens/goes-${round}`, { method: "DELETE" })).status, 204);
      assert.ok(desk.sessions.subjects().has(goes.subject));
      await killAndStart();
      line?.cut("reset");
      await until("the end of what was withdrawn", () => !desk.sessions.subjects().has(goes.subject));
      await process?.print(`round ${round}`);
      const { value } = await said.next();
      assert.equal(value?.type === "stdout" && Buffer.from(value.bytes).toString(), `round ${round}`);
      await goes.client.close();
    }
    await stays.client.close();
  });
});
