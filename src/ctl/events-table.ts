/** How something that happened looks in a row: to a container, or to a host of a fleet. */

import type { ContainerEventView } from "../protocol/container-events.ts";
import type { FleetEvent } from "../protocol/events.ts";
import type { Listing } from "./output-format.ts";

const SHORT_ID = 12;
/** Of an RFC 3339 time with nanoseconds: up to the milliseconds. */
const TIME = 23;
const HEADINGS = ["TIME", "CONTAINER", "EVENT", "DETAILS"];

/** What the agent itself has to say. */
const WORDS: Record<string, string> = {
  "engine-away": "the engine does not answer; what happens meanwhile may be missing",
  "engine-back": "the engine answers again",
  missed: "so many events came faster than they were read",
};

export const EVENTS: Listing<ContainerEventView> = {
  headings: HEADINGS,
  widths: [24, 16, 7],
  row,
  wide: { headings: [...HEADINGS, "IMAGE", "ID"], row: wideRow },
  name: ({ container }) => container?.name ?? "",
};

export const FLEET_EVENTS: Listing<FleetEvent> = {
  headings: ["TIME", "NODE", "EVENT", "MESSAGE"],
  widths: [24, 12, 16],
  row: ({ time, node = "-", type, message }) => [new Date(time).toISOString(), node, type, message],
  name: ({ node = "" }) => node,
};

function row({ time, action, container, details }: ContainerEventView): string[] {
  const pairs = Object.entries(details).map(([name, value]) => `${name}=${value}`);
  const words = container ? [] : [WORDS[action] ?? ""];
  return [`${time.slice(0, TIME)}Z`, container?.name ?? "-", action, [...pairs, ...words].join(" ")];
}

function wideRow(event: ContainerEventView): string[] {
  return [...row(event), event.container?.image ?? "", event.container?.id.slice(0, SHORT_ID) ?? ""];
}
