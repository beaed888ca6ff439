/** The engine's event stream. */

import { RuntimeError } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { textOf } from "./fields.ts";
import { isHelper } from "./helper-label.ts";
import { jsonLines } from "./json-lines.ts";
import { query } from "./wire-head.ts";

/** Actions that change nothing about a container and come with every exec and health check. */
const IRRELEVANT = /^(exec|attach|detach|top|resize|archive-path|extract-to-dir|copy|export|commit)/;
/** How an event's line begins, whose attributes may be of any length. No attribute can look so: it is no object, and its quotes are escaped. */
const BEGINNING = /"Type":"(\w+)","Action":"([^"]*)","Actor":\{"ID":"([0-9a-f]{64})"/;
/** Docker tells the action twice; the first time an exec's whole command may come before the rest. */
const STATUS = /^\{"status":"([^"]*)/;

/** As far as it is read; the engine's answer is input. */
export interface RawEvent {
  Type?: unknown;
  Action?: unknown;
  Actor?: { ID?: unknown; Attributes?: Record<string, unknown> | null } | null;
}

export interface EngineEvent {
  type: string;
  action: string;
  /** The container's id; for a network's event the container that joined or left, if there is one. */
  container?: string;
}

/**
 * Events that change what a container looks like, in their order; they end only with an error. Resolves with the head
 * of the engine's answer, which it sends just before it subscribes us: for a moment after that an event may be missed.
 */
export async function openEvents(engine: Engine, signal: AbortSignal): Promise<AsyncIterable<EngineEvent>> {
  return eventsOf(engine, { types: ["container", "network"], read: toEvent }, signal);
}

export interface EventsOptions<T> {
  types: string[];
  /** Also what the engine remembers since this time; then none is missed. */
  since?: string;
  /** Undefined for one that tells nothing. */
  read: (raw: RawEvent, text: string) => T | undefined;
}

export async function eventsOf<T>(
  engine: Engine,
  { types, since, read }: EventsOptions<T>,
  signal: AbortSignal,
): Promise<AsyncGenerator<T, void, undefined>> {
  const path = `/events?${query({ filters: JSON.stringify({ type: types }), since })}`;
  const wire = await engine.stream({ method: "GET", path }, signal);
  return (async function* () {
    for await (const { value, text } of jsonLines(wire.body())) {
      const raw: RawEvent | null = value === undefined ? rawEnds(text) : value;
      if (!raw || IRRELEVANT.test(textOf(raw.Action)) || isHelper(raw.Actor?.Attributes)) continue;
      const event = read(raw, text);
      if (event !== undefined) yield event;
    }
    throw new RuntimeError("engine-unavailable", "The engine ended its event stream.");
  })();
}

/** What a line tells that is too long, or no JSON: at least that something has happened. */
function rawEnds(text: string): RawEvent {
  const [, Type, Action = STATUS.exec(text)?.[1], ID] = BEGINNING.exec(text) ?? [];
  return { Type, Action, Actor: { ID } };
}

function toEvent(raw: RawEvent): EngineEvent {
  const type = textOf(raw.Type);
  const container = type === "network" ? raw.Actor?.Attributes?.container : raw.Actor?.ID;
  return { type, action: textOf(raw.Action), ...(typeof container === "string" ? { container } : {}) };
}
