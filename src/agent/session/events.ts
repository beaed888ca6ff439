/** What happened to containers lately: kept for those who ask, told to those who listen, with a mark where something may be missing. */

import { allows } from "../../auth/grant.ts";
import { forever } from "../../lib/forever.ts";
import { compareSince, fromSince, sinceOf } from "../../lib/stamp.ts";
import type { ContainerEventView } from "../../protocol/container-events.ts";
import type { Grant } from "../../protocol/rights.ts";
import type { ContainerEvent, Runtime } from "../runtime/runtime.ts";

/** So many are kept. */
const MAX_EVENTS = 1_000;
/** What the engine remembers of the time before the agent began is asked for so far back, in milliseconds. */
const LOOK_BACK_MS = 3_600_000;
/** After a lost engine, in milliseconds. */
const RETRY = { first: 500, max: 10_000 };
/** The longest that a timer runs, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Whose events, and of which time (`seconds.nanoseconds`, both inclusive). */
export interface EventsRequest {
  grant: Grant;
  since?: string;
  until?: string;
}

/** Nobody's container in particular. */
interface Mark {
  time: string;
  action: "engine-away" | "engine-back" | "missed";
  details: Record<string, string>;
}

type Entry = ContainerEvent | Mark;

export class EventHistory {
  readonly #runtime: Runtime;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  readonly #listeners = new Set<() => void>();
  /** The newest ones, and how many there were before them. */
  readonly #kept: Entry[] = [];
  #dropped = 0;
  #engine: "unknown" | "there" | "away" = "unknown";
  /** Up to where the engine has been heard, and what it told of that very moment. */
  #heard = sinceOf(Date.now() - LOOK_BACK_MS);
  readonly #last = new Set<string>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    const { signal } = this.#stop;
    this.#done = forever(() => this.#listen(), { ...RETRY, signal, failed: () => this.#lost() });
  }

  /** Those that are kept. */
  past(request: EventsRequest): ContainerEventView[] {
    return this.#kept.filter((entry) => isWanted(entry, request)).map(view);
  }

  /** Those that are kept, at once, and then each as it happens; one who reads too slowly is told how many he missed. */
  async *follow(request: EventsRequest, signal: AbortSignal): AsyncGenerator<ContainerEventView[], void, void> {
    const over = AbortSignal.any([signal, ...(request.until === undefined ? [] : [timeout(request.until)])]);
    let wake: () => void = () => {};
    const listener = () => wake();
    this.#listeners.add(listener);
    over.addEventListener("abort", listener, { once: true });
    try {
      let place = this.#end;
      yield this.past(request);
      while (!over.aborted) {
        if (place === this.#end)
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        const fresh = this.#after(place);
        place = this.#end;
        const wanted = fresh.filter((entry) => isWanted(entry, request));
        if (wanted.length > 0) yield wanted.map(view);
      }
    } finally {
      this.#listeners.delete(listener);
      over.removeEventListener("abort", listener);
    }
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** The place of the next one. */
  get #end(): number {
    return this.#dropped + this.#kept.length;
  }

  #after(place: number): Entry[] {
    const missed = this.#dropped - place;
    if (missed <= 0) return this.#kept.slice(-missed);
    const time = this.#kept[0]?.time ?? this.#heard;
    return [{ time, action: "missed", details: { count: String(missed) } }, ...this.#kept];
  }

  async #listen(): Promise<void> {
    const events = await this.#runtime.events(this.#heard, this.#stop.signal);
    if (this.#engine === "away") this.#mark("engine-back");
    this.#engine = "there";
    for await (const event of events) this.#hear(event);
  }

  #lost(): void {
    if (this.#engine !== "away") this.#mark("engine-away");
    this.#engine = "away";
  }

  /** The engine repeats what it told of the moment from which it is asked to go on. */
  #hear(event: ContainerEvent): void {
    const key = JSON.stringify([event.time, event.container.id, event.action]);
    const order = compareSince(event.time, this.#heard);
    if (order === 0 && this.#last.has(key)) return;
    if (order > 0) {
      this.#last.clear();
      this.#heard = event.time;
    }
    this.#last.add(key);
    this.#add(event);
  }

  #mark(action: "engine-away" | "engine-back"): void {
    this.#add({ time: sinceOf(Date.now()), action, details: {} });
  }

  #add(entry: Entry): void {
    this.#kept.push(entry);
    if (this.#kept.length > MAX_EVENTS) {
      this.#kept.shift();
      this.#dropped += 1;
    }
    for (const listener of this.#listeners) listener();
  }
}

function isWanted(entry: Entry, { grant, since, until }: EventsRequest): boolean {
  if ("container" in entry && !allows(grant, "list", entry.labels)) return false;
  if (since !== undefined && compareSince(entry.time, since) < 0) return false;
  return until === undefined || compareSince(entry.time, until) <= 0;
}

function view(entry: Entry): ContainerEventView {
  const { action, details } = entry;
  return { time: fromSince(entry.time), action, ...("container" in entry && { container: entry.container }), details };
}

function timeout(until: string): AbortSignal {
  return AbortSignal.timeout(Math.min(Math.max(0, Number(until) * 1000 - Date.now()), MAX_TIMER_MS));
}
