/** A program that cannot start ends as it should: its audit log says so, and the next start takes it for no crash. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import type { AuditRecord } from "../../src/protocol/audit.ts";
import { startAgent } from "../support/agent.ts";
import { startServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const NO_ENGINE = { host: "unix:///nowhere/docker.sock" };

suite("a start that fails is recorded with its end", () => {
  let other: Server;
  let taken: string[];
  let home: string;
  before(async () => {
    other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    taken = ["--listen-port", String((other.address() as AddressInfo).port)];
  });
  after(() => void other.close());
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "fl-failed-start-"));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  /** Until the last start has its record. */
  const events = (stateDir: string) =>
    until("the record of the last start", async () => {
      const lines = (await readFile(join(stateDir, "log", "audit.log"), "utf8")).trim().split("\n");
      const all = lines.map((line) => (JSON.parse(line) as AuditRecord).event);
      return !all.at(-1)?.endsWith("-ended") && all;
    });

  test("of an agent, whatever stops it", async () => {
    const start = (...flags: string[]) => startAgent({ engine: NO_ENGINE, home, flags });
    await assert.rejects(start(...taken), /already uses port/);
    await assert.rejects(start("--require-runtime"), /nowhere/);
    const agent = await start();
    const told = await events(agent.stateDir);
    await agent.stop();
    assert.deepEqual(told, ["agent-started", "agent-ended", "agent-started", "agent-ended", "agent-started"]);
  });

  test("of a server", async () => {
    await assert.rejects(startServer({ home, flags: taken }), /already uses port/);
    const server = await startServer({ home });
    const told = await events(server.stateDir);
    await server.stop();
    assert.deepEqual(told, ["server-started", "server-ended", "server-started"]);
  });
});
