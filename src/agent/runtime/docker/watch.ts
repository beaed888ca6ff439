/** The list of containers, kept up to date with the engine's events. */

import { wait } from "../../../lib/wait.ts";
import { type Container, RuntimeError } from "../runtime.ts";
import { allContainers, type EngineList } from "./containers.ts";
import { withDeadline } from "./deadline.ts";
import type { Engine } from "./engine.ts";
import { type EngineEvent, openEvents } from "./events.ts";
import type { Log } from "./log.ts";

/** Milliseconds between two lists while events pour in. */
const MIN_INTERVAL = 200;
/** Milliseconds after which the list is fetched without an event: that finds a hung engine and heals a missed event. */
const RESYNC_INTERVAL = 10_000;
/** Milliseconds for one list. Whoever asks whether the agent is ready wants to know soon that the engine hangs. */
const LIST_TIMEOUT = 10_000;
const TOO_LONG =
  "What the engine tells of this container is too long, and it is left out of all lists: give it shorter labels, or remove it.";

/** Yields the whole list, and again after each change. Throws `engine-unavailable`, or the signal's reason. */
export async function* watchContainers(
  engine: Engine,
  log: Log,
  signal: AbortSignal,
): AsyncGenerator<Container[], void, undefined> {
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  try {
    const events = await openEvents(engine, both);
    let change = new AbortController();
    void each(events, () => change.abort()).catch((error) => stop.abort(error));
    // One may have been missed before the engine subscribed us: the second look does not wait for an event.
    change.abort();
    let last = "";
    let missing: string[] = [];
    for (;;) {
      const { listed, leftOut } = await listInTime(engine, both);
      for (const containerId of leftOut) if (!missing.includes(containerId)) log.warn({ containerId }, TOO_LONG);
      missing = leftOut;
      const text = JSON.stringify(listed);
      if (text !== last) yield listed;
      last = text;
      await wait(MIN_INTERVAL, both);
      await wait(RESYNC_INTERVAL, AbortSignal.any([both, change.signal]));
      change = new AbortController();
    }
  } finally {
    stop.abort();
  }
}

function listInTime(engine: Engine, signal: AbortSignal): Promise<EngineList> {
  const ms = Math.min(engine.timeout, LIST_TIMEOUT);
  const words = `The engine at ${engine.endpoint.host} did not list its containers within ${ms / 1000} s.`;
  const late = () => new RuntimeError("engine-unavailable", words);
  return withDeadline({ signal, ms, late }, (both) => allContainers(engine, both));
}

async function each(events: AsyncIterable<EngineEvent>, act: () => void): Promise<void> {
  for await (const _ of events) act();
}
