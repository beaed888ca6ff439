/** The host beside the server: its token lies in the directory that the two share until it is not needed any more. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { NodeView } from "../../src/protocol/node.ts";
import { TestHost } from "../support/host.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const MAIN = fileURLToPath(new URL("../../src/server/main.ts", import.meta.url));

let shared: string;
let server: TestServer;
const file = () => join(shared, "token");
const flags = () => ["--own-host", "here", "--own-host-directory", shared, "--bootstrap-lifetime", "10s"];

before(async () => {
  shared = await mkdtemp(join(tmpdir(), "fl-own-host-"));
  server = await startServer({ flags: flags() });
});

after(async () => {
  await server.stop();
  await rm(shared, { recursive: true });
});

test("its token is private, made anew before it ends, and gone when the host reports", async () => {
  await until("a token", () => existsSync(file()));
  assert.equal((await stat(file())).mode & 0o777, 0o600);
  const first = await readFile(file(), "utf8");
  await until("another token", async () => (await readFile(file(), "utf8")) !== first);
  const host = new TestHost(server.url);
  const joined = await host.bootstrap((await readFile(file(), "utf8")).trim());
  assert.deepEqual([joined.status, host.name], [200, "here"]);
  assert.ok(existsSync(file()), "it may have to be used again, where the answer was lost");
  await host.beat();
  await until("its end", () => !existsSync(file()));
});

test("a host that was removed is added again by the next start", async () => {
  await server.fetch("/api/v1/nodes/here", { method: "DELETE" });
  await server.end();
  server = await startServer({ flags: flags(), before: server });
  await until("a token", () => existsSync(file()));
  assert.equal((await server.json<NodeView>("/api/v1/nodes/here")).status, "Pending");
});

test("one setting without the other is a mistake", () => {
  const { status, stderr } = spawnSync(process.execPath, [MAIN, "--own-host", "here"], { encoding: "utf8" });
  assert.equal(status, 2);
  assert.match(stderr, /own_host and own_host_directory belong together/);
});
