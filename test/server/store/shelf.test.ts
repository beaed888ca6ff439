import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import * as z from "zod/mini";
import { History } from "../../../src/server/history/history.ts";
import { Shelf } from "../../../src/server/store/shelf.ts";
import { SqliteStorage } from "../../../src/server/store/sqlite.ts";
import type { StorageTrouble } from "../../../src/server/store/trouble.ts";

const Thing = z.strictObject({ name: z.string(), size: z.number() });
const mend = (id: string) => `Make ${id} anew.`;
/** What somebody, a bit that fell over, or a newer version may have left there, and what is told of it. */
const DAMAGED: Record<string, RegExp> = {
  "": /^it is no JSON$/,
  '{"name":"bad","size":': /^it is no JSON$/,
  null: /./,
  "[]": /./,
  '{"name":"bad"}': /^size: /,
  '{"name":"bad","size":"secret"}': /^size: /,
  '{"name":"bad","size":1,"limit":2}': /./,
  '{"name":"good","size":1}': /^it has another name in it$/,
};

suite("a record that cannot be understood", () => {
  let directory: string;
  let storage: SqliteStorage;
  let shelf: Shelf<z.infer<typeof Thing>>;
  let told: StorageTrouble[];

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "fl-shelf-"));
    told = [];
    storage = SqliteStorage.open(join(directory, "a.db"), (trouble) => told.push(trouble));
    shelf = new Shelf(storage, { name: "thing", schema: Thing, nameIn: ({ name }) => name, mend });
    await shelf.create("good", { name: "good", size: 1 });
  });

  afterEach(async () => {
    await storage.close();
    rmSync(directory, { recursive: true });
  });

  for (const [value, why] of Object.entries(DAMAGED))
    test(`such as ${value === "" ? "nothing" : value} is left out of lists, told once, and an error for who asks for it`, async () => {
      await storage.put("thing/bad", value);
      for (let i = 0; i < 2; i++) {
        assert.deepEqual(await shelf.entries(), [{ id: "good", document: { name: "good", size: 1 } }]);
        const words = /^The record thing\/bad in the server's database is damaged \(.+\)\. Make bad anew\.$/;
        await assert.rejects(shelf.get("bad"), { code: "damaged-record", message: words });
        await assert.rejects(
          shelf.update("bad", () => assert.fail("it was changed")),
          { code: "damaged-record" },
        );
      }
      assert.deepEqual([told.length, storage.damaged, await shelf.count()], [1, 1, 2]);
      const [trouble] = told;
      assert.ok(trouble && "damaged" in trouble);
      assert.equal(trouble.damaged, "thing/bad");
      assert.match(trouble.why, why);
      assert.doesNotMatch(trouble.why, /secret/);
    });

  test("keeps its name, is not changed, and goes when somebody takes it away", async () => {
    await storage.put("thing/bad", "rot");
    assert.equal(await shelf.create("bad", { name: "bad", size: 2 }), false);
    await shelf.list();
    assert.equal((await storage.get("thing/bad"))?.value, "rot");
    assert.deepEqual(await shelf.take("bad"), { document: undefined });
    assert.equal(await shelf.take("bad"), undefined);
    assert.equal(storage.damaged, 0);
    assert.equal(await shelf.create("bad", { name: "bad", size: 2 }), true);
    assert.equal((await shelf.get("bad"))?.size, 2);
  });

  test("ends nobody's following", async () => {
    const stop = new AbortController();
    const changes = shelf.changes(stop.signal)[Symbol.asyncIterator]();
    await storage.put("thing/bad", "rot");
    await shelf.create("next", { name: "next", size: 3 });
    assert.equal((await changes.next()).value?.id, "next");
    await shelf.take("bad");
    assert.deepEqual((await changes.next()).value, { id: "bad", document: undefined });
    stop.abort();
  });

  test("in a journal is left out, and what comes after it is told", async () => {
    const Entry = z.object({ seq: z.int(), time: z.number(), words: z.string() });
    const history = new History(storage, { name: "things", schema: Entry, keep: 1_000 });
    const bad = Array.from({ length: 600 }, () => storage.append("things", "rot", 1_000));
    await Promise.all([history.add({ words: "before" }), ...bad, history.add({ words: "after" })]);
    const stop = new AbortController();
    const heard: string[] = [];
    for await (const page of history.follow(0, stop.signal)) {
      heard.push(...page.map(({ words }) => words));
      if (heard.includes("after")) stop.abort();
    }
    assert.deepEqual(heard, ["before", "after"]);
    assert.deepEqual(
      (await history.read({ limit: 1_000 })).map(({ words }) => words),
      ["before", "after"],
    );
    assert.equal(told.length, 600);
  });

  test("in a journal counts until the journal lets go of it", async () => {
    const Entry = z.object({ seq: z.int(), time: z.number() });
    const keep = 3;
    const history = new History(storage, { name: "things", schema: Entry, keep });
    for (let i = 0; i < 2; i++) await storage.append("things", "rot", keep);
    assert.deepEqual(await history.read({ limit: keep }), []);
    for (const damaged of [2, 2, 1, 0]) {
      assert.equal(storage.damaged, damaged);
      await history.add({});
    }
  });
});

test("a document that is changed while it is taken is taken as it is then, and by one", async () => {
  const storage = SqliteStorage.open(":memory:");
  const shelf = new Shelf(storage, { name: "thing", schema: Thing, mend });
  await shelf.create("here", { name: "here", size: 1 });
  const grown = shelf.update("here", (before) => ({ ...before, size: 2 }));
  const taken = await Promise.all([shelf.take("here"), shelf.take("here")]);
  assert.equal((await grown)?.size, 2);
  assert.deepEqual(taken, [{ document: { name: "here", size: 2 } }, undefined]);
  assert.equal(await shelf.get("here"), undefined);
  await storage.close();
});
