/** The containers of this host as the agent last heard of them, and the one resolver from a reference to a container. */

import { allows } from "../../auth/grant.ts";
import { forever } from "../../lib/forever.ts";
import type { ContainerDetailView, ContainerView } from "../../protocol/container.ts";
import { FairleadError } from "../../protocol/errors.ts";
import { type Grant, RIGHTS, type Right } from "../../protocol/rights.ts";
import type { Container, Runtime } from "../runtime/runtime.ts";
import { toFairleadError } from "./session.ts";

export interface ContainersOptions {
  runtime: Runtime;
  node: string;
  /** Hears when the engine comes and goes. */
  onEngine: (state: { ready: true } | { ready: false; error: unknown; retryInMs: number }) => void;
}

/** Who asks, and for what. */
export interface Access {
  grant: Grant;
  right: Right;
}

/** After a lost engine, in milliseconds. */
const RETRY = { first: 500, max: 10_000 };
/** Names suggested for one that is unknown. */
const SUGGESTIONS = 5;
const SHORT_ID = /^[a-f0-9]{4,64}$/;

export class Containers {
  readonly node: string;
  readonly #runtime: Runtime;
  readonly #stop = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #done: Promise<void>;
  #all: Container[] = [];
  #ready = false;

  constructor(options: ContainersOptions) {
    const { runtime, node, onEngine } = options;
    this.node = node;
    this.#runtime = runtime;
    const { signal } = this.#stop;
    const failed = (error: unknown, retryInMs: number) => {
      this.#set([], false);
      onEngine({ ready: false, error, retryInMs });
    };
    const watch = async () => {
      for await (const all of runtime.watch(signal)) {
        const first = !this.#ready;
        this.#set(all, true);
        if (first) onEngine({ ready: true });
      }
      throw new FairleadError("engine-unavailable", "the engine ended its stream of events");
    };
    this.#done = forever(watch, { ...RETRY, signal, failed });
  }

  /** The engine answers and the list is current. */
  get ready(): boolean {
    return this.#ready;
  }

  /** What this grant may list. */
  visible(grant: Grant): ContainerView[] {
    return this.#all.filter(({ labels }) => allows(grant, "list", labels)).map((it) => view(it, grant));
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
          yield this.visible(grant);
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
   * The container that a reference names: id, name, `project/service/N`, `project/service`, the start of an id.
   * One that may not be used answers exactly like one that does not exist.
   * Throws `not-found`, `ambiguous` or, while the engine is away, `engine-unavailable`.
   */
  resolve(ref: string, { grant, right }: Access): Container {
    if (!this.#ready)
      throw new FairleadError("engine-unavailable", "the container engine does not answer; the agent keeps trying");
    const allowed = this.#all.filter(({ labels }) => allows(grant, right, labels));
    for (const matches of MATCHERS) {
      const found = allowed.filter((it) => matches(it, ref));
      if (found.length > 1) throw new FairleadError("ambiguous", `"${ref}" could be ${names(found)}`);
      if (found[0]) return found[0];
    }
    const near = allowed.filter((it) => isNear(it, ref));
    const hint = near.length > 0 ? ` Did you mean ${names(near)}?` : "";
    throw new FairleadError(
      "not-found",
      `no container "${ref}" here, or not one that you may use for this (${right}).${hint}`,
    );
  }

  /** Undefined once the container is gone. */
  labels(id: string): Record<string, string> | undefined {
    return this.#all.find((it) => it.id === id)?.labels;
  }

  async detail(ref: string, grant: Grant, signal: AbortSignal): Promise<ContainerDetailView> {
    const { id } = this.resolve(ref, { grant, right: "inspect" });
    try {
      const { openStdin, tty, startedAt, finishedAt, exitCode, restartPolicy, health, mounts, ...rest } =
        await this.#runtime.inspect(id, signal);
      return {
        ...view(rest, grant),
        tty,
        openStdin,
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
    for await (const _ of this.changes({ subject: "", rights: [], scopes: [] }, signal)) if (this.#ready) return;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  #set(all: Container[], ready: boolean): void {
    this.#all = all;
    this.#ready = ready;
    for (const listener of this.#listeners) listener();
  }
}

/** In this order: an exact name is never shadowed by the start of another's id. */
const MATCHERS: ((container: Container, ref: string) => boolean)[] = [
  ({ id }, ref) => id === ref,
  ({ name }, ref) => name === ref,
  ({ labels }, ref) => {
    const { project, service, number } = compose(labels);
    return ref === `${project}/${service}` || ref === `${project}/${service}/${number ?? 1}`;
  },
  ({ id }, ref) => SHORT_ID.test(ref) && id.startsWith(ref),
];

function view(container: Container, grant: Grant): ContainerView {
  const { imageId: _, ...rest } = container;
  const rights = RIGHTS.filter((right) => allows(grant, right, container.labels));
  return { ...rest, ...compose(container.labels), rights };
}

function compose(labels: Record<string, string>): { project?: string; service?: string; number?: number } {
  const project = labels["com.docker.compose.project"];
  const service = labels["com.docker.compose.service"];
  const number = Number(labels["com.docker.compose.container-number"]);
  return { ...(project && { project }), ...(service && { service }), ...(number > 0 && { number }) };
}

function names(containers: Container[]): string {
  const some = containers.slice(0, SUGGESTIONS).map(({ id, name }) => `${name} (${id.slice(0, 12)})`);
  const more = containers.length - some.length;
  return more > 0 ? `${some.join(", ")} and ${more} more` : some.join(", ");
}

/** One contains the other, or they differ by one letter: enough for a slip of the finger. */
function isNear({ name, labels }: Container, ref: string): boolean {
  const wanted = ref.toLowerCase();
  const known = [name, compose(labels).service ?? ""].filter((it) => it !== "").map((it) => it.toLowerCase());
  return known.some(
    (it) => (wanted.length > 1 && it.includes(wanted)) || wanted.includes(it) || oneLetterOff(it, wanted),
  );
}

function oneLetterOff(a: string, b: string): boolean {
  if (Math.abs(a.length - b.length) > 1) return false;
  let i = 0;
  while (i < a.length && a[i] === b[i]) i += 1;
  const rest = (text: string, skip: number) => text.slice(i + skip);
  const swapped = a[i] === b[i + 1] && a[i + 1] === b[i] && rest(a, 2) === rest(b, 2);
  return rest(a, 1) === rest(b, 1) || rest(a, 1) === rest(b, 0) || rest(a, 0) === rest(b, 1) || swapped;
}
