/** The containers of this host as the agent last heard of them, and the one way from a reference to one of them. */

import { allows } from "../../auth/grant.ts";
import { forever } from "../../lib/forever.ts";
import type { ContainerDetailView, ContainerView } from "../../protocol/container.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { type Grant, type Right, RIGHTS } from "../../protocol/rights.ts";
import type { Container, Runtime } from "../runtime/runtime.ts";
import { FreshList } from "./fresh-list.ts";
import { type Access, composeOf, resolveReference } from "./reference.ts";
import { toFairleadError } from "./failure.ts";

export interface ContainersOptions {
  runtime: Runtime;
  node: string;
  /** The id of the container that this agent runs in, if it does. */
  own: string | undefined;
  /** Hears when the engine comes and goes. */
  onEngine: (state: { ready: true } | { ready: false; error: unknown; retryInMs: number }) => void;
}

/** After a lost engine, in milliseconds. */
const RETRY = { first: 500, max: 10_000 };
/** What is done with the container that this agent runs in: looking at it, and neither ending it nor getting into it. */
const LOOKING: ReadonlySet<Right> = new Set(["list", "inspect", "metrics"]);
/** The same for administrators alone: what an agent prints at its start lets one in. */
const READING: ReadonlySet<Right> = new Set(["logs", "attach-ro"]);
const NOBODY: Grant = { subject: "", rights: [], scopes: [] };

export class Containers {
  readonly node: string;
  readonly #runtime: Runtime;
  readonly #own: string | undefined;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #done: Promise<void>;
  readonly #fresh: FreshList;
  #all: Container[] = [];
  #ready = false;
  /** Whether the engine answers is known. */
  #heard = false;
  #why = "The container engine has not answered yet.";

  constructor(options: ContainersOptions) {
    const { runtime, node, own, onEngine } = options;
    this.node = node;
    this.#runtime = runtime;
    this.#own = own;
    this.#fresh = new FreshList(runtime);
    const { signal } = this.#stop;
    const failed = (error: unknown, retryInMs: number) => {
      this.#why = toFairleadError(error).message.replace(/\.?$/, ".");
      this.#set([], false);
      onEngine({ ready: false, error, retryInMs });
    };
    const watch = async () => {
      for await (const all of runtime.watch(signal)) {
        const first = !this.#ready;
        this.#set(all, true);
        if (first) onEngine({ ready: true });
      }
      throw new FairleadError("engine-unavailable", "The engine ended its stream of events.");
    };
    this.#done = forever(watch, { ...RETRY, signal, failed });
  }

  /** The engine answers and the list is current. */
  get ready(): boolean {
    return this.#ready;
  }

  /** While it is not: what is wrong with the engine, for those who may know. */
  get away(): FairleadError {
    return new FairleadError("engine-unavailable", `${this.#why} The agent keeps trying.`);
  }

  /** How many run. */
  get running(): number {
    return this.#all.filter(({ state }) => state === "running").length;
  }

  /** What this grant may list, as the engine has it now. Rejects like {@link FreshList.refresh}. */
  async listed(grant: Grant): Promise<ContainerView[]> {
    await this.refresh();
    return this.allowed({ grant, right: "list" }).map((it) => this.#view(it, grant));
  }

  /** Those over which this grant has this right. */
  allowed({ grant, right }: Access): Container[] {
    return this.#known.filter((it) => allows(grant, right, it.labels) && !this.#spares(it, { grant, right }));
  }

  /** The list now and after each change. Ends with the signal; a slow reader gets the newest only. */
  async *changes(grant: Grant, signal: AbortSignal): AsyncGenerator<ContainerView[], void, void> {
    let changed = true;
    let wake: () => void = () => {};
    const listener = () => {
      changed = true;
      wake();
    };
    this.#listeners.add(listener);
    signal.addEventListener("abort", listener, { once: true });
    try {
      while (!signal.aborted) {
        if (changed) {
          changed = false;
          yield this.allowed({ grant, right: "list" }).map((it) => this.#view(it, grant));
        } else {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      }
    } finally {
      this.#listeners.delete(listener);
      signal.removeEventListener("abort", listener);
    }
  }

  /**
   * The container that a reference names, as far as is known now; see {@link resolveReference}. When that is
   * `not-found`, `refresh` and ask again: it may have been made a moment ago. Throws `engine-unavailable` while the
   * engine is away, and `own-container` for what nobody does with that.
   */
  resolve(ref: string, access: Access): Container {
    if (!this.#ready) throw this.away;
    const container = resolveReference(this.#known, ref, access);
    if (this.#spares(container, access))
      throw new FairleadError(
        "own-container",
        `The agent itself runs in "${container.name}": that is only looked at from here. Change it with the engine's own client, on its host.`,
      );
    return container;
  }

  /** What `resolve` gives, also of a container that has just been made. */
  async find(ref: string, access: Access): Promise<Container> {
    try {
      return this.resolve(ref, access);
    } catch (error) {
      if (toFairleadError(error).code !== "not-found") throw error;
    }
    await this.refresh();
    return this.resolve(ref, access);
  }

  /** Resolves once `resolve` knows every container that there was when this was called. Rejects like {@link FreshList.refresh}. */
  refresh(): Promise<void> {
    return this.#fresh.refresh();
  }

  /** Undefined once the container is gone. */
  labels(id: string): Record<string, string> | undefined {
    return this.#all.find((it) => it.id === id)?.labels;
  }

  async detail(ref: string, grant: Grant, signal: AbortSignal): Promise<ContainerDetailView> {
    const { id } = await this.find(ref, { grant, right: "inspect" });
    try {
      const { openStdin, stdinOnce, tty, startedAt, finishedAt, exitCode, restartPolicy, health, mounts, ...rest } =
        await this.#runtime.inspect(id, signal);
      return {
        ...this.#view(rest, grant),
        tty,
        openStdin,
        stdinOnce,
        restartPolicy,
        mounts,
        ...(startedAt !== undefined && { startedAt }),
        ...(finishedAt !== undefined && { finishedAt }),
        ...(exitCode !== undefined && { exitCode }),
        ...(health !== undefined && { health }),
      };
    } catch (error) {
      throw toFairleadError(error);
    }
  }

  /** Resolves when the engine is ready, or the signal is aborted. */
  async whenReady(signal: AbortSignal): Promise<void> {
    for await (const _ of this.changes(NOBODY, signal)) if (this.#ready) return;
  }

  /** Resolves when it is known whether the engine answers, or the signal is aborted. */
  async whenHeard(signal: AbortSignal): Promise<void> {
    for await (const _ of this.changes(NOBODY, signal)) if (this.#heard) return;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await Promise.all([this.#done, this.#fresh.close()]);
  }

  get #known(): readonly Container[] {
    return this.#fresh.recent ?? this.#all;
  }

  /** Containers that share a network share what tells an agent where it is: then all of them are spared. */
  #spares({ id, networkOf, labels }: Container, { grant, right }: Access): boolean {
    if (this.#own === undefined || (id !== this.#own && networkOf !== this.#own) || LOOKING.has(right)) return false;
    return !(READING.has(right) && allows(grant, "admin", labels));
  }

  #view(container: Container, grant: Grant): ContainerView {
    const { imageId: _, networkOf: __, ...rest } = container;
    const may = (right: Right) => allows(grant, right, container.labels) && !this.#spares(container, { grant, right });
    return { ...rest, ...composeOf(container.labels), rights: RIGHTS.filter(may) };
  }

  #set(all: Container[], ready: boolean): void {
    this.#fresh.forget();
    this.#all = all;
    this.#ready = ready;
    this.#heard = true;
    for (const listener of this.#listeners) listener();
  }
}
