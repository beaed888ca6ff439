/** events. */

import assert from "node:assert/strict";
import type { ContainerEvent } from "../../../src/agent/runtime/runtime.ts";
import type { Rig } from "../rig.ts";

/** Docker's word, and Podman's. */
const GONE = /^(destroy|remove)$/;
/** Milliseconds; an engine that forgets an event would keep the test for ever. */
const PATIENCE_MS = 30_000;

export function eventsContract(rig: Rig): void {
  const docker = (...args: string[]) => rig.engine.docker(...args);
  const read = async (since: string, id: string) =>
    untilGone(await rig.runtime.events(since, AbortSignal.timeout(PATIENCE_MS)), id);
  const now = () => `${Date.now() / 1000}`;

  rig.verb("events", "tell what is done to a container, and not what runs in it", async () => {
    const began = now();
    const id = await rig.container({ args: ["--label", "team=blue"] });
    const telling = read(began, id);
    const name = `${id.slice(0, 12)}-renamed`;
    await docker("exec", id, "true");
    await docker("rename", id, name);
    await docker("kill", id);
    await docker("rm", id);
    const seen = await telling;
    const actions = seen.map(({ action }) => action);
    for (const action of ["create", "start", "rename", "kill", "die"]) assert.ok(actions.includes(action), action);
    assert.ok(!actions.some((action) => action.startsWith("exec")), actions.join());
    for (const { labels, container } of seen)
      assert.deepEqual([labels, container.image], [{ team: "blue" }, rig.habits.image]);
    assert.equal(seen.find(({ action }) => action === "die")?.details["exitCode"], "137");
    assert.equal(seen.at(-1)?.container.name, name);
    assert.deepEqual(seen[0]?.details, {});
  });

  rig.verb("events", "begin with what the engine remembers since a time, to the nanosecond", async () => {
    const began = now();
    const id = await rig.container();
    await docker("rm", "--force", id);
    const all = await read(began, id);
    assert.match(all[0]?.time ?? "", /^\d+\.\d{9}$/);
    assert.ok(
      all.some(({ time }) => /[1-9]\d\d$/.test(time)),
      "nanoseconds",
    );
    assert.deepEqual(await read(all[1]?.time ?? "", id), all.slice(1));
  });

  rig.verb("events", "end with the signal", async () => {
    const stop = new AbortController();
    const events = await rig.runtime.events(now(), stop.signal);
    const pending = events[Symbol.asyncIterator]().next();
    stop.abort();
    await assert.rejects(pending);
  });
}

/** Those of one container up to its end. */
async function untilGone(events: AsyncIterable<ContainerEvent>, id: string): Promise<ContainerEvent[]> {
  const seen: ContainerEvent[] = [];
  for await (const event of events) {
    if (event.container.id === id) seen.push(event);
    if (GONE.test(seen.at(-1)?.action ?? "")) break;
  }
  return seen;
}
