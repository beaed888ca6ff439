import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFile, readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { SqliteStorage } from "../../src/server/store/sqlite.ts";
import { startServer, type TestServer } from "../support/server.ts";

const MAIN = fileURLToPath(new URL("../../src/server/main.ts", import.meta.url));

suite("a backup of a server that runs", () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server.stop());

  function backup(...args: string[]): Promise<{ code: number; stderr: string }> {
    return new Promise((resolve) => {
      const all = [MAIN, "backup", ...args, "--data-dir", server.stateDir];
      const run = execFile(process.execPath, all, { cwd: server.home }, (_error, _stdout, stderr) =>
        resolve({ code: run.exitCode ?? -1, stderr }),
      );
    });
  }

  test("is whole while hosts are being added, for its owner alone, and overwrites nothing", async () => {
    const file = join(server.home, "backup.db");
    await server.post("/api/v1/nodes", { name: "before" });
    const adding = Promise.all(Array.from({ length: 50 }, (_, i) => server.post("/api/v1/nodes", { name: `n${i}` })));
    assert.deepEqual(await backup(file), { code: 0, stderr: "" });
    await adding;
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const copy = SqliteStorage.open(file);
    assert.ok((await copy.get("node/before"))?.value.includes('"before"'));
    await copy.close();
    const again = await backup(file);
    assert.match(`${again.code} ${again.stderr}`, /^1 fairlead server: .* exists; name another file\.\n$/);
    assert.ok((await readdir(server.home)).every((name) => !name.endsWith(".unfinished")));
  });

  test("a server that starts with it knows what it knew", async () => {
    const file = join(server.home, "second.db");
    await backup(file);
    await server.post("/api/v1/nodes", { name: "after" });
    await server.end();
    for (const end of ["", "-wal", "-shm"]) await rm(join(server.stateDir, `server.db${end}`), { force: true });
    await copyFile(file, join(server.stateDir, "server.db"));
    server = await startServer({ before: server });
    assert.equal((await server.fetch("/api/v1/nodes/before")).status, 200);
    assert.equal((await server.fetch("/api/v1/nodes/after")).status, 404);
  });

  test("without a file to write it says how it is called", async () => {
    assert.match((await backup()).stderr, /^Usage: fairlead server backup FILE/);
  });
});
