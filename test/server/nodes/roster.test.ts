import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { suite, test } from "node:test";
import { Nodes } from "../../../src/server/nodes/nodes.ts";
import { SqliteStorage } from "../../../src/server/store/sqlite.ts";

const DEFAULTS = {
  enabled: true,
  heartbeatInterval: 10_000,
  pollInterval: 10_000,
  keyInterval: 0,
  containerMetrics: true,
  gpuMetrics: true,
};

async function withRoster(work: (nodes: Nodes, life: AbortController) => Promise<void>): Promise<void> {
  const storage = SqliteStorage.open(":memory:");
  const life = new AbortController();
  try {
    await work(await Nodes.open({ storage, defaults: DEFAULTS, events: { add: async () => {} } }), life);
  } finally {
    life.abort();
    await storage.close();
  }
}

suite("who follows the hosts", () => {
  test("waits until they are known, and no longer than it follows", () =>
    withRoster(async ({ roster }, life) => {
      const following = roster.follow(life.signal);
      life.abort();
      for (const follower of [await following, await roster.follow(life.signal)])
        assert.equal((await follower.changes().next()).done, true);
    }));

  test("and fails in the midst of it, leaves nothing behind", (t) =>
    withRoster(async (nodes, life) => {
      const { uid } = await nodes.add("box");
      const kept = nodes.roster.keep(life.signal);
      const following = new AbortController();
      const follower = await nodes.roster.follow(following.signal);
      const touched = t.mock.method(follower, "touch");
      const fails = async () => {
        for await (const names of follower.changes()) throw new Error([...names].join(" "));
      };
      await assert.rejects(fails, /^Error: box$/);
      nodes.roster.touch(uid);
      assert.equal(touched.mock.callCount(), 0);
      assert.equal(getEventListeners(following.signal, "abort").length, 0);
      life.abort();
      await kept;
    }));
});
