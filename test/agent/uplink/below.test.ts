/** A host of a server that lives below a path of a reverse proxy's, which passes on what is left of the address. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { runCtl } from "../../ctl/ctl.ts";
import { startAgent } from "../../support/agent.ts";
import { startPathProxy } from "../../support/path-proxy.ts";
import { startServer } from "../../support/server.ts";
import { until } from "../../support/until.ts";

const PATH = "/tools/fairlead";
const NO_ENGINE = { host: "unix:///nowhere/docker.sock" };

test("joins with the command that ctl prints, reports, makes itself another key, and its line carries", async (t) => {
  const server = await startServer({ flags: ["--heartbeat-interval", "1s"] });
  t.after(() => server.stop());
  const proxy = await startPathProxy({ path: PATH, target: server.url });
  t.after(() => proxy.close());
  const address = `http://127.0.0.1:${proxy.port}${PATH}`;
  const config = join(server.home, "operator");
  const env = { FAIRLEAD_SERVER: address, FAIRLEAD_TOKEN: server.token, XDG_CONFIG_HOME: config };
  const add = async (...args: string[]) => (await runCtl({ env }, ["nodes", "add", ...args])).stdout.toString();

  const flags = (await add("box")).trim().split(" ").slice(2);
  assert.deepEqual(flags.slice(0, 2), ["-S", address]);
  const agent = await startAgent({ engine: NO_ENGINE, flags });
  t.after(() => agent.stop());
  await until("the host's line", async () => (await server.fetch("/api/v1/nodes/box/version")).ok);
  const key = () => readFile(join(agent.stateDir, "identity.json"), "utf8");
  const before = await key();
  await server.post("/api/v1/nodes/box/rotate");
  await until("another key", async () => (await key()) !== before);
  assert.deepEqual(proxy.strays, []);

  await add("--here", "desk");
  const kept = await readFile(join(config, "fairlead", "credentials.json"), "utf8");
  assert.equal((JSON.parse(kept) as { server_url: string }).server_url, address);
});
