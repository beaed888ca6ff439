/** Who watches what containers use: one stream of the engine for all, and none for nobody. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { RuntimeError, type Stats } from "../../../src/agent/runtime/runtime.ts";
import type { StatsView } from "../../../src/protocol/stats.ts";
import { ADMIN, startDesk } from "../../support/desk.ts";
import { container } from "../../support/scripted-runtime.ts";
import { until } from "../../support/until.ts";

const WEB = container({ id: "1".repeat(64), name: "web", labels: { team: "blue" } });
const DB = container({ id: "2".repeat(64), name: "db" });
const OFF = container({ id: "3".repeat(64), name: "off", state: "exited" });
const BLUE = { subject: "blue", rights: ["inspect" as const], scopes: [{ team: "blue" }] };

function figures(cpu: number): Stats {
  return {
    cpu,
    memory: { used: 1, limit: 2 },
    network: { received: 3, sent: 4 },
    block: { read: 5, written: 6 },
    pids: 7,
  };
}

/** An engine that tells one figure of each container, and then is quiet or breaks off. */
async function startMetered(breaks: "never" | "always" = "never") {
  const opened: string[] = [];
  let open = 0;
  const desk = await startDesk({
    containers: [WEB, DB, OFF],
    stats: async function* (id, signal) {
      opened.push(id);
      open += 1;
      try {
        yield figures(opened.length);
        if (breaks === "always") throw new RuntimeError("engine-error", "no more");
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      } finally {
        open -= 1;
      }
    },
  });
  return Object.assign(desk, { opened, open: () => open });
}

const names = (views: StatsView[] | void) => (views ?? []).map(({ name }) => name);

suite("what containers use", () => {
  test("is told of those that run and may be inspected", async () => {
    const desk = await startMetered();
    const { signal } = new AbortController();
    assert.deepEqual(names(await desk.stats.once({ grant: ADMIN }, signal)), ["web", "db"]);
    assert.deepEqual(names(await desk.stats.once({ grant: BLUE }, signal)), ["web"]);
    assert.deepEqual(names(await desk.stats.once({ grant: ADMIN, reference: "db" }, signal)), ["db"]);
    await assert.rejects(desk.stats.once({ grant: BLUE, reference: "db" }, signal), { code: "not-found" });
    await assert.rejects(desk.stats.once({ grant: ADMIN, reference: "off" }, signal), { code: "not-running" });
    await desk.close();
  });

  test("comes over one stream a container, which ends with the last who watches", async () => {
    const desk = await startMetered();
    const stop = new AbortController();
    const watches = [undefined, "web", "web"].map((reference) =>
      desk.stats.changes({ grant: ADMIN, ...(reference && { reference }) }, stop.signal),
    );
    for (const watch of watches) await watch.next();
    assert.deepEqual(desk.opened, [WEB.id, DB.id]);
    await watches[0]?.return();
    await until("the end of the one that nobody watches", () => desk.open() === 1);
    stop.abort();
    for (const watch of watches) assert.equal((await watch.next()).done, true);
    await until("the end of all", () => desk.open() === 0);
    await desk.close();
  });

  test("is asked for again when the stream breaks, and not told meanwhile", async () => {
    const desk = await startMetered("always");
    const stop = new AbortController();
    const watch = desk.stats.changes({ grant: ADMIN, reference: "web" }, stop.signal);
    await watch.next();
    await until("an empty list", async () => names((await watch.next()).value).length === 0);
    await until("another attempt", () => desk.opened.length > 1);
    stop.abort();
    await watch.return();
    await desk.close();
  });
});
