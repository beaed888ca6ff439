/** What containers use: one stream of the engine a container for all who watch it, and none while nobody does. */

import { forever } from "../../lib/forever.ts";
import { wait } from "../../lib/wait.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Grant } from "../../protocol/rights.ts";
import type { StatsView } from "../../protocol/stats.ts";
import type { Container, Runtime, Stats } from "../runtime/runtime.ts";
import type { Containers } from "./containers.ts";
import { type Access, resolveReference } from "./reference.ts";
import { toFairleadError } from "./failure.ts";

/** Milliseconds between two figures of one container: the engine has no newer ones. */
const INTERVAL_MS = 1_000;
/** Milliseconds that the first figures are waited for; an engine takes about two seconds. */
const FIRST_MS = 5_000;
/** Milliseconds before a stream that broke is opened again. */
const RETRY = { first: 1_000, max: 30_000 };
/** Containers in these states use something. */
const ALIVE = new Set<string>(["running", "paused"]);

/** Whose figures: of one container, or of all that the grant may inspect. */
export interface StatsRequest {
  grant: Grant;
  reference?: string;
}

/** One container's figures for as long as somebody holds it. */
class Source {
  latest: Stats | undefined;
  holders = 0;
  /** Resolves when there are figures, or none are to be had. */
  readonly first: Promise<void>;
  readonly #stop = new AbortController();

  constructor(open: (signal: AbortSignal) => AsyncIterable<Stats>) {
    const { signal } = this.#stop;
    this.first = new Promise((resolve) => {
      const attempt = async () => {
        for await (const stats of open(signal)) {
          this.latest = stats;
          resolve();
        }
        throw new FairleadError("not-running", "The container does not run.");
      };
      const failed = () => {
        this.latest = undefined;
        resolve();
      };
      void forever(attempt, { ...RETRY, signal, failed }).then(resolve);
    });
  }

  close(): void {
    this.#stop.abort();
  }
}

export class StatsSources {
  readonly #runtime: Runtime;
  readonly #containers: Containers;
  /** By container. */
  readonly #sources = new Map<string, Source>();

  constructor({ runtime, containers }: { runtime: Runtime; containers: Containers }) {
    this.#runtime = runtime;
    this.#containers = containers;
  }

  /** The figures now. */
  async once(request: StatsRequest, signal: AbortSignal): Promise<StatsView[]> {
    await this.check(request);
    for await (const views of this.changes(request, signal)) return views;
    throw toFairleadError(signal.reason);
  }

  /** Throws `not-found`, `not-running` or `engine-unavailable` where there are no figures to be had. */
  async check(request: StatsRequest): Promise<void> {
    const { grant, reference } = request;
    if (reference === undefined) return void this.#wanted(request);
    const { name, state } = await this.#containers.find(reference, { grant, right: "inspect" });
    if (!ALIVE.has(state)) throw new FairleadError("not-running", `The container "${name}" is not running (${state}).`);
  }

  /**
   * The figures of the containers that run, about once a second until the signal; a slow reader gets the newest only.
   * Throws `engine-unavailable` when the engine goes away.
   */
  async *changes(request: StatsRequest, signal: AbortSignal): AsyncGenerator<StatsView[], void, void> {
    const held = new Map<string, Source>();
    try {
      while (!signal.aborted) {
        const wanted = this.#wanted(request);
        const begins = held.size === 0;
        this.#hold(held, wanted);
        if (begins)
          await Promise.race([Promise.all([...held.values()].map(({ first }) => first)), wait(FIRST_MS, signal)]);
        yield wanted.flatMap((container) => view(container, held.get(container.id)?.latest));
        await wait(INTERVAL_MS, signal);
      }
    } finally {
      this.#hold(held, []);
    }
  }

  /** One that is gone, or has stopped in the meantime, may come back under its name. */
  #wanted({ grant, reference }: StatsRequest): Container[] {
    const access = { grant, right: "inspect" } as const;
    if (!this.#containers.ready) throw this.#containers.away;
    const all = this.#containers.allowed(access).filter(({ state }) => ALIVE.has(state));
    return reference === undefined ? all : namedIn(all, reference, access);
  }

  /** Makes `held` the sources of these containers. */
  #hold(held: Map<string, Source>, containers: readonly Container[]): void {
    const ids = new Set(containers.map(({ id }) => id));
    for (const id of ids) if (!held.has(id)) held.set(id, this.#take(id));
    for (const [id, source] of held) {
      if (ids.has(id)) continue;
      held.delete(id);
      this.#release(id, source);
    }
  }

  #take(id: string): Source {
    const source = this.#sources.get(id) ?? new Source((signal) => this.#runtime.stats(id, signal));
    source.holders += 1;
    this.#sources.set(id, source);
    return source;
  }

  #release(id: string, source: Source): void {
    source.holders -= 1;
    if (source.holders > 0) return;
    source.close();
    this.#sources.delete(id);
  }
}

function view({ id, name }: Container, stats: Stats | undefined): StatsView[] {
  return stats ? [{ id, name, ...stats }] : [];
}

function namedIn(all: Container[], reference: string, access: Access): Container[] {
  try {
    return [resolveReference(all, reference, access)];
  } catch {
    return [];
  }
}
