/** What the engine tells of its containers, and what it remembers of them. */

import { compareSince, earlierSince } from "../../../lib/stamp.ts";
import { wait } from "../../../lib/wait.ts";
import type { ContainerEvent } from "../runtime.ts";
import { askVersion, type Engine } from "./engine.ts";
import { eventsOf, type RawEvent } from "./events.ts";
import { textOf } from "./fields.ts";

/** What the engine puts beside a container's labels, in the same list. */
const DETAILS = new Set(["exitCode", "signal", "oldName", "execDuration"]);
/** Said elsewhere, or with Podman's every event whether it means something or not. */
const FACTS = new Set(["name", "image", "podId", "containerExitCode"]);
const NANOSECONDS = 9;
/** Of more digits no date is made. */
const TIME = /"timeNano":(\d{1,19})\b/;
/** An engine that hangs is as silent as one to which nothing happens: it is asked after so long, and has as long to answer. In milliseconds. */
const ASK_MS = 10_000;

/** As {@link Runtime.events}. */
export async function openContainerEvents(
  engine: Engine,
  since: string,
  signal: AbortSignal,
): Promise<AsyncIterable<ContainerEvent>> {
  const { roundsEventTimes } = await engine.dialect(signal);
  const from = roundsEventTimes ? earlierSince(since) : since;
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  const events = await eventsOf(engine, { types: ["container"], since: from, read: toContainerEvent }, both);
  void keepAsking(engine, both).catch((error) => stop.abort(error));
  return untilLetGo(roundsEventTimes ? notBefore(since, events) : events, stop);
}

/** Rejects when the engine does not answer; ends with the signal. */
async function keepAsking(engine: Engine, signal: AbortSignal): Promise<void> {
  const ms = Math.min(engine.timeout, ASK_MS);
  for (;;) {
    await wait(ms, signal);
    if (signal.aborted) return;
    await engine.call(signal, askVersion, ms);
  }
}

async function* untilLetGo<T>(events: AsyncIterable<T>, stop: AbortController): AsyncGenerator<T, void, undefined> {
  try {
    yield* events;
  } finally {
    stop.abort();
  }
}

async function* notBefore(since: string, events: AsyncIterable<ContainerEvent>): AsyncGenerator<ContainerEvent> {
  for await (const event of events) if (compareSince(event.time, since) >= 0) yield event;
}

function toContainerEvent({ Action: action, Actor: actor }: RawEvent, text: string): ContainerEvent | undefined {
  const id = textOf(actor?.ID);
  if (id === "") return undefined;
  const pairs = Object.entries(actor?.Attributes ?? {}).map(([name, value]) => [name, textOf(value)] as const);
  const own = new Map(pairs);
  return {
    time: timeOf(text),
    action: textOf(action),
    container: { id, name: own.get("name") ?? id.slice(0, 12), image: own.get("image") ?? "" },
    labels: Object.fromEntries(pairs.filter(([name]) => !DETAILS.has(name) && !FACTS.has(name))),
    details: Object.fromEntries(pairs.filter(([name]) => DETAILS.has(name))),
  };
}

/** From the text: the number has more digits than one of JavaScript holds. No attribute can look so, its quotes are escaped. */
function timeOf(text: string): string {
  const digits = TIME.exec(text)?.[1]?.padStart(NANOSECONDS + 1, "0") ?? "0".repeat(NANOSECONDS + 1);
  return `${digits.slice(0, -NANOSECONDS)}.${digits.slice(-NANOSECONDS)}`;
}
