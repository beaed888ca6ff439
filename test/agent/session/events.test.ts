/** What happened lately: how much is kept, who is told what, and where something may be missing. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { type ContainerEvent, RuntimeError } from "../../../src/agent/runtime/runtime.ts";
import type { ContainerEventView } from "../../../src/protocol/container-events.ts";
import { ADMIN, startDesk } from "../../support/desk.ts";
import { until } from "../../support/until.ts";

const KEPT = 1_000;
const BLUE = { subject: "blue", rights: ["list" as const], scopes: [{ team: "blue" }] };

function event(second: number, fields: Partial<ContainerEvent> = {}): ContainerEvent {
  const container = { id: "a".repeat(64), name: "web", image: "busybox" };
  return {
    time: `${4_000_000_000 + second}.000000001`,
    action: "start",
    container,
    labels: {},
    details: {},
    ...fields,
  };
}

/** An engine that tells what the test says, and breaks off when it says so. */
class Telling {
  /** From when on it was asked, each time. */
  readonly asked: string[] = [];
  away = false;
  #waiting: (ContainerEvent | "break")[] = [];
  #wake: () => void = () => {};

  tell(...events: (ContainerEvent | "break")[]): void {
    this.#waiting.push(...events);
    this.#wake();
  }

  readonly events = async (since: string, signal: AbortSignal): Promise<AsyncIterable<ContainerEvent>> => {
    if (this.away) throw new RuntimeError("engine-unavailable", "away");
    this.asked.push(since);
    signal.addEventListener("abort", () => this.#wake(), { once: true });
    return this.#read(signal);
  };

  async *#read(signal: AbortSignal): AsyncGenerator<ContainerEvent> {
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next === "break") throw new RuntimeError("engine-unavailable", "broke off");
      if (next) yield next;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}

async function startTelling() {
  const engine = new Telling();
  const desk = await startDesk({ events: engine.events });
  const past = () => desk.events.past({ grant: ADMIN });
  return Object.assign(desk, { engine, past });
}

const actions = (views: ContainerEventView[] | void) => (views ?? []).map(({ action }) => action);

suite("what happened to containers", () => {
  test("is told with its time to the nanosecond, to those who may list the container", async () => {
    const desk = await startTelling();
    desk.engine.tell(
      event(0, { labels: { team: "blue" }, details: { exitCode: "1" }, action: "die" }),
      event(1, { labels: { team: "red" } }),
    );
    await until("both", () => desk.past().length === 2);
    assert.deepEqual(desk.events.past({ grant: BLUE }), [
      {
        time: "2096-10-02T07:06:40.000000001Z",
        action: "die",
        container: event(0).container,
        details: { exitCode: "1" },
      },
    ]);
    await desk.close();
  });

  test("is kept up to a number, and told of a span of time when asked so", async () => {
    const desk = await startTelling();
    desk.engine.tell(...Array.from({ length: KEPT + 5 }, (_, i) => event(i)));
    await until("the last", () => desk.past().at(-1)?.time.startsWith("2096-10-02T07:23:24"));
    assert.equal(desk.past().length, KEPT);
    const span = desk.events.past({ grant: ADMIN, since: event(10).time, until: event(12).time });
    assert.equal(span.length, 3);
    await desk.close();
  });

  test("goes on after the engine was away from where it was, with marks and nothing twice", async () => {
    const desk = await startTelling();
    const stop = new AbortController();
    const follow = desk.events.follow({ grant: ADMIN }, stop.signal);
    assert.deepEqual(actions((await follow.next()).value), []);
    const same = event(1, { action: "create" });
    desk.engine.tell(event(0), same, event(1), "break");
    await until("the mark", () => desk.past().length === 4);
    assert.deepEqual(actions((await follow.next()).value), ["start", "create", "start", "engine-away"]);
    desk.engine.tell(same, event(1), event(1, { action: "pause" }));
    await until("the rest", () => desk.past().length === 6);
    assert.equal(desk.engine.asked[1], event(1).time);
    assert.deepEqual(actions((await follow.next()).value), ["engine-back", "pause"]);
    stop.abort();
    assert.equal((await follow.next()).done, true);
    await desk.close();
  });

  test("has one mark for an engine that stays away", async () => {
    const desk = await startTelling();
    desk.engine.away = true;
    desk.engine.tell("break");
    await until("the mark", () => desk.past().length === 1);
    desk.engine.away = false;
    await until("its return", () => desk.past().length === 2);
    assert.deepEqual(actions(desk.past()), ["engine-away", "engine-back"]);
    await desk.close();
  });

  test("is counted where a reader was too slow for what is kept", async () => {
    const desk = await startTelling();
    const stop = new AbortController();
    const follow = desk.events.follow({ grant: ADMIN }, stop.signal);
    await follow.next();
    const first = follow.next();
    desk.engine.tell(event(0));
    assert.deepEqual(actions((await first).value), ["start"]);
    desk.engine.tell(...Array.from({ length: KEPT + 7 }, (_, i) => event(i + 1)));
    await until("the last", () => desk.past().at(-1)?.time === "2096-10-02T07:23:27.000000001Z");
    const { value } = await follow.next();
    assert.deepEqual([value?.[0]?.action, value?.[0]?.details, value?.length], ["missed", { count: "7" }, KEPT + 1]);
    stop.abort();
    await desk.close();
  });

  test("ends for a follower when his time is over", async () => {
    const desk = await startTelling();
    const follow = desk.events.follow({ grant: ADMIN, until: `${Date.now() / 1000}` }, new AbortController().signal);
    await follow.next();
    assert.equal((await follow.next()).done, true);
    await desk.close();
  });
});
