/** What the engine tells of its containers, and what it remembers of them. */

import { compareSince, earlierSince } from "../../../lib/stamp.ts";
import type { ContainerEvent } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { eventsOf, type RawEvent } from "./events.ts";

/** What the engine puts beside a container's labels, in the same list. */
const DETAILS = new Set(["exitCode", "signal", "oldName", "execDuration"]);
/** Said elsewhere, or with Podman's every event whether it means something or not. */
const FACTS = new Set(["name", "image", "podId", "containerExitCode"]);
const NANOSECONDS = 9;

/** As {@link Runtime.events}. */
export async function openContainerEvents(
  engine: Engine,
  since: string,
  signal: AbortSignal,
): Promise<AsyncIterable<ContainerEvent>> {
  const { roundsEventTimes } = await engine.dialect(signal);
  const from = roundsEventTimes ? earlierSince(since) : since;
  const events = await eventsOf(engine, { types: ["container"], since: from, read: toContainerEvent }, signal);
  return roundsEventTimes ? notBefore(since, events) : events;
}

async function* notBefore(since: string, events: AsyncIterable<ContainerEvent>): AsyncGenerator<ContainerEvent> {
  for await (const event of events) if (compareSince(event.time, since) >= 0) yield event;
}

function toContainerEvent({ Action: action, Actor: actor = {} }: RawEvent, text: string): ContainerEvent {
  const { ID: id, Attributes: attributes = {} } = actor;
  const pairs = Object.entries(attributes).map(([name, value]) => [name, String(value)] as const);
  const own = new Map(pairs);
  return {
    time: timeOf(text),
    action: String(action),
    container: { id: String(id), name: own.get("name") ?? "", image: own.get("image") ?? "" },
    labels: Object.fromEntries(pairs.filter(([name]) => !DETAILS.has(name) && !FACTS.has(name))),
    details: Object.fromEntries(pairs.filter(([name]) => DETAILS.has(name))),
  };
}

/** From the text: the number has more digits than one of JavaScript holds. No attribute can look so, its quotes are escaped. */
function timeOf(text: string): string {
  const digits = /"timeNano":(\d+)/.exec(text)?.[1]?.padStart(NANOSECONDS + 1, "0") ?? "0".repeat(NANOSECONDS + 1);
  return `${digits.slice(0, -NANOSECONDS)}.${digits.slice(-NANOSECONDS)}`;
}
