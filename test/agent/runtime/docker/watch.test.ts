/** What engines tell of their containers' life, and may not end the telling. */

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { openContainerEvents } from "../../../../src/agent/runtime/docker/container-events.ts";
import { openEvents } from "../../../../src/agent/runtime/docker/events.ts";
import { containerStats } from "../../../../src/agent/runtime/docker/stats.ts";
import { watchContainers } from "../../../../src/agent/runtime/docker/watch.ts";
import type { ContainerEvent } from "../../../../src/agent/runtime/runtime.ts";
import { type Answer, type Answers, hangsAfter, json, says, withFakeEngine } from "./fake-engine.ts";

const signal = AbortSignal.timeout(60_000);
const PATIENT = 20_000;
const HEAD = "HTTP/1.1 200 OK\r\n\r\n";
const LONG = "x".repeat(3 * 1024 * 1024);
const ID = "a".repeat(64);
const NOT_OURS: unknown[] = [
  null,
  7,
  "x",
  [],
  {},
  { Actor: null },
  { Action: {}, Actor: 7 },
  { Action: { toString: 1 } },
];

/** A line as Docker writes it. */
function event(action: string, labels: object = {}, time = 5): string {
  const Actor = { ID, Attributes: { ...labels, name: "web", image: "busybox" } };
  const fields = { Type: "container", Action: action, Actor, scope: "local", time, timeNano: time * 1e9 + 7 };
  return JSON.stringify({ status: action, id: ID, from: "busybox", ...fields });
}

/** These lines, and then nothing more. */
function tells(...lines: string[]): Answers {
  return {
    to: (request) => (request.includes("/events") ? hangsAfter(`${HEAD}${lines.join("\n")}\n`) : says(json("{}"))),
  };
}

async function first<T>(count: number, all: AsyncIterable<T>): Promise<T[]> {
  const seen: T[] = [];
  for await (const each of all) if (seen.push(each) === count) break;
  return seen;
}

test("an event with labels of any length is one like any other, and those of execs are none", () => {
  const lines = [
    event("start", { LONG }),
    event("exec_start: sh", { LONG }),
    event(`exec_create: sh -c "${LONG}"`),
    event("exec_die", { LONG, Action: "die", '"Type":"container","Action":"die","Actor":{"ID":"': "die" }),
    event("die", { LONG }),
    event("destroy"),
  ];
  return withFakeEngine(
    tells(...lines),
    async (engine) => {
      const seen = await first(3, await openEvents(engine, signal));
      assert.deepEqual(
        seen,
        ["start", "die", "destroy"].map((action) => ({ type: "container", action, container: ID })),
      );
    },
    PATIENT,
  );
});

test("a container's event with labels of any length is told without them, in its time", () => {
  const lines = [event("start", { LONG, zone: "blue" }, 6), event("die", { zone: "blue" }, 7)];
  return withFakeEngine(
    tells(...lines),
    async (engine) => {
      const seen = await first(2, await openContainerEvents(engine, "5.0", signal));
      const named = (name: string, image: string) => ({ id: ID, name, image });
      const expected: ContainerEvent[] = [
        { time: "6.000000007", action: "start", container: named(ID.slice(0, 12), ""), labels: {}, details: {} },
        {
          time: "7.000000007",
          action: "die",
          container: named("web", "busybox"),
          labels: { zone: "blue" },
          details: {},
        },
      ];
      assert.deepEqual(seen, expected);
    },
    PATIENT,
  );
});

test("lines that are no event end nothing", async () => {
  const strange = NOT_OURS.map((value) => JSON.stringify(value));
  const lines = [...strange, "<html>", `{"timeNano":${"9".repeat(30)},"Actor":{"ID":"${ID}","Attributes":null}}`];
  await withFakeEngine(
    tells(...lines, event("destroy")),
    async (engine) => {
      for await (const { action } of await openEvents(engine, signal)) if (action === "destroy") break;
      const seen = await first(2, await openContainerEvents(engine, "0.0", signal));
      assert.deepEqual(
        seen.map(({ time, action }) => [time, action]),
        [
          ["0.000000000", ""],
          ["5.000000007", "destroy"],
        ],
      );
    },
    PATIENT,
  );
});

test("a watch goes on past events and containers that are too long, and warns once of each that it leaves out", async () => {
  const names = ["web"];
  const warnings: object[] = [];
  const log = { debug() {}, warn: (fields: object) => void warnings.push(fields) };
  let events: Socket | undefined;
  const listed: Answer = (socket) => {
    const items = names.map((name, at) => ({ Id: String(at).repeat(64), Names: [`/${name}`] }));
    const huge = { Id: ID, Labels: { label: "x".repeat(9 * 1024 * 1024) } };
    socket.end(json(JSON.stringify([...items, huge])));
  };
  const answers: Answers = {
    to: (request) => {
      if (request.includes("/containers/json")) return listed;
      if (!request.includes("/events")) return says(json("{}"));
      return (socket) => void (events = socket).write(HEAD);
    },
  };
  await withFakeEngine(
    answers,
    async (engine) => {
      const stop = new AbortController();
      const watch = watchContainers(engine, log, stop.signal);
      for (const name of ["", "other", "third"]) {
        if (name !== "") names.push(name);
        if (name !== "") events?.write(`${event("start", { LONG })}\n`);
        const { value } = await watch.next();
        assert.deepEqual(
          (value ?? []).map((container) => container.name),
          names,
        );
      }
      stop.abort();
      assert.deepEqual(warnings, [{ containerId: ID }]);
    },
    PATIENT,
  );
});

test("figures that cannot be read end that container's alone", () =>
  withFakeEngine(
    { to: (request) => (request.includes("/stats") ? hangsAfter(`${HEAD}{"read":"${LONG}"}\n`) : says(json("{}"))) },
    async (engine) => {
      await assert.rejects(containerStats(engine, ID, signal).next(), { code: "engine-error" });
    },
    PATIENT,
  ));
