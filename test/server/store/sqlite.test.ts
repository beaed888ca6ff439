import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, suite, test } from "node:test";
import { migrate } from "../../../src/server/store/migrations.ts";
import { SqliteStorage } from "../../../src/server/store/sqlite.ts";
import type { StorageTrouble } from "../../../src/server/store/trouble.ts";
import { Conflict } from "../../../src/server/store/storage.ts";
import { fill, makeRoom, mountDisk, unmount } from "../../fault/small-disk.ts";
import { until } from "../../support/until.ts";

suite("storage in SQLite", () => {
  let directory: string;
  let storage: SqliteStorage;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "fl-sqlite-"));
    storage = SqliteStorage.open(join(directory, "a.db"));
  });
  after(async () => {
    await storage.close();
    rmSync(directory, { recursive: true });
  });

  test("a value is found by its key, and by what the key begins with", async () => {
    await storage.put("node/a", "1");
    await storage.put("node/b", "2");
    await storage.put("nodes", "3");
    assert.equal((await storage.get("node/b"))?.value, "2");
    assert.deepEqual(
      (await storage.list("node/")).map(({ value }) => value),
      ["1", "2"],
    );
    assert.equal(await storage.count("node/"), 2);
    assert.equal(await storage.get("node/c"), undefined);
  });

  test("of many who change the same revision one gets through, and the rest of the batch is kept", async () => {
    const revision = await storage.put("race", "start");
    const writes = Array.from({ length: 10 }, (_, i) => storage.put("race", String(i), revision));
    const bystander = storage.put("bystander", "here");
    const results = await Promise.allSettled(writes);
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", ...Array.from({ length: 9 }, () => "rejected")],
    );
    for (const result of results.slice(1)) assert.ok(result.status === "rejected" && result.reason instanceof Conflict);
    await bystander;
    assert.equal((await storage.get("race"))?.value, "0");
    assert.equal((await storage.get("bystander"))?.value, "here");
  });

  test("a value that must be new is refused where there is one, also one that was removed and made again", async () => {
    const first = await storage.put("once", "1", 0);
    await assert.rejects(storage.put("once", "2", 0), Conflict);
    await storage.remove("once", first);
    const second = await storage.put("once", "3", 0);
    await assert.rejects(storage.put("once", "4", first), Conflict);
    assert.ok(second > first);
  });

  test("a watcher hears of each change, and one that is slow of the newest of each key", async () => {
    const stop = new AbortController();
    const changes = storage.watch("w/", stop.signal)[Symbol.asyncIterator]();
    await storage.put("w/a", "1");
    await storage.put("w/b", "1");
    await storage.put("w/a", "2");
    await storage.remove("w/b");
    await storage.put("elsewhere", "1");
    const seen = [(await changes.next()).value, (await changes.next()).value];
    assert.deepEqual(
      seen.map((change) => change && [change.key, change.value]),
      [
        ["w/a", "2"],
        ["w/b", undefined],
      ],
    );
    stop.abort();
    assert.equal((await changes.next()).done, true);
  });

  test("a journal keeps its end, and counts on", async () => {
    for (let i = 1; i <= 12; i++) await storage.append("j", `line ${i}`, 10);
    const all = await storage.read("j", { after: 0, limit: 100 });
    assert.deepEqual([all.length, all[0]?.seq, all.at(-1)?.value], [10, 3, "line 12"]);
    assert.deepEqual(
      (await storage.read("j", { limit: 2 })).map(({ seq }) => seq),
      [11, 12],
    );
    assert.deepEqual(
      (await storage.read("j", { after: 11, limit: 5 })).map(({ seq }) => seq),
      [12],
    );
  });

  test("what was asked for before closing is on the disk", async () => {
    const path = join(directory, "b.db");
    const first = SqliteStorage.open(path);
    const writes = Array.from({ length: 50 }, (_, i) => first.put(`k${i}`, "v"));
    await first.close();
    await Promise.all(writes);
    const second = SqliteStorage.open(path);
    assert.equal((await second.list("k")).length, 50);
    await second.close();
  });

  test("a full disk loses nothing that was acknowledged, is told once, and so is its end though nobody asks", async () => {
    const disk = await mountDisk();
    const told: StorageTrouble[] = [];
    const small = SqliteStorage.open(join(disk, "d.db"), (trouble) => told.push(trouble));
    try {
      const acknowledged: string[] = [];
      const put = async (key: string) => {
        await small.put(key, "v".repeat(20_000));
        acknowledged.push(key);
      };
      await put("first");
      await fill(disk);
      const words = { code: "storage-unavailable", message: /d\.db, is full: make room there, then try again\.$/ };
      for (let i = 0; i < 3; i++) await assert.rejects(put(`more-${i}`), words);
      assert.deepEqual(told.map(Object.keys), [["broken"]]);
      assert.equal(small.writable, false);
      assert.equal((await small.get("first"))?.value.length, 20_000);
      await makeRoom(disk);
      await until("its end", () => small.writable);
      assert.deepEqual(told.map(Object.keys), [["broken"], ["mended"]]);
      await put("last");
      assert.deepEqual(
        (await small.list("")).map(({ key }) => key),
        acknowledged,
      );
    } finally {
      await small.close();
      await unmount(disk);
    }
  });

  test("a file that is no database, or is damaged as a whole, is told by its name and with what to do", () => {
    const path = join(directory, "e.db");
    writeFileSync(path, "rot ".repeat(4_096));
    const words = /^The server's database, \/\S+e\.db, is damaged \(.+\): end the server, and go back to a backup\.$/;
    assert.throws(() => SqliteStorage.open(path), { code: "storage-unavailable", message: words });
  });

  test("a database of a newer version is refused untouched, and a step that fails changes nothing", () => {
    const db = new DatabaseSync(join(directory, "c.db"));
    migrate(db, ["CREATE TABLE one (a)"]);
    assert.throws(() => migrate(db, ["CREATE TABLE one (a)", "CREATE TABLE two (b); CREATE nonsense"]));
    assert.equal(db.prepare("SELECT count(*) AS n FROM sqlite_schema").get()?.["n"], 1);
    migrate(db, ["CREATE TABLE one (a)", "CREATE TABLE two (b)"]);
    assert.throws(() => migrate(db, ["CREATE TABLE one (a)"]), /newer Fairlead/);
    db.close();
  });
});
