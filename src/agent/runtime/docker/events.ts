/** The engine's event stream. */

import { RuntimeError } from "../runtime.ts";
import type { Engine } from "./engine.ts";
import { jsonLines } from "./json-lines.ts";
import { query } from "./wire-head.ts";

/** Actions that change nothing about a container and come with every exec and health check. */
const IRRELEVANT = /^(exec_|attach|detach|top|resize|archive-path|extract-to-dir|copy|export|commit)/;

interface RawEvent {
  Type?: unknown;
  Action?: unknown;
  Actor?: { ID?: unknown; Attributes?: { container?: unknown } };
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
  const filters = JSON.stringify({ type: ["container", "network"] });
  const wire = await engine.stream({ method: "GET", path: `/events?${query({ filters })}` }, signal);
  return parseEvents(wire.body());
}

async function* parseEvents(body: AsyncIterable<Buffer>): AsyncGenerator<EngineEvent, void, undefined> {
  for await (const { value } of jsonLines(body)) {
    const event = toEvent(value as RawEvent);
    if (!IRRELEVANT.test(event.action)) yield event;
  }
  throw new RuntimeError("engine-unavailable", "The engine ended its event stream.");
}

function toEvent(raw: RawEvent): EngineEvent {
  const type = String(raw.Type);
  const container = type === "network" ? raw.Actor?.Attributes?.container : raw.Actor?.ID;
  return { type, action: String(raw.Action), ...(typeof container === "string" ? { container } : {}) };
}
