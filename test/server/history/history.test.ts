/** What happens while the disk is full is in the history afterwards, in its order. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import * as z from "zod/mini";
import { History } from "../../../src/server/history/history.ts";
import { SqliteStorage } from "../../../src/server/store/sqlite.ts";
import { Upkeep } from "../../../src/server/upkeep.ts";
import { fill, makeRoom, mountDisk, unmount } from "../../fault/small-disk.ts";
import { until } from "../../support/until.ts";

const Entry = z.object({ seq: z.int(), time: z.number(), words: z.string() });
/** Finds no room in what other entries left. */
const LONG = "late ".repeat(20_000);

test("what happens once there is room again stands behind what waited for it", async () => {
  const disk = await mountDisk();
  const storage = SqliteStorage.open(join(disk, "a.db"));
  const history = new History(storage, { name: "things", schema: Entry, keep: 10 });
  const life = new AbortController();
  const upkeep = new Upkeep({ warn: assert.fail, error: assert.fail }, life.signal);
  try {
    await history.add({ words: "before" });
    await fill(disk);
    await history.add({ words: LONG });
    await makeRoom(disk);
    await history.add({ words: "after" });
    history.watch(upkeep);
    const all = await until("three entries", async () => {
      const found = await history.read({ limit: 10 });
      return found.length === 3 && found;
    });
    assert.deepEqual(
      all.map(({ words }) => words),
      ["before", LONG, "after"],
    );
  } finally {
    life.abort();
    await upkeep.ended();
    await storage.close();
    await unmount(disk);
  }
});
