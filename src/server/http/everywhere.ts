/** The containers of all hosts, for one caller: what each agent tells him, put together, as it changes. */

import { request } from "node:http";
import type { Subject } from "../../auth/grant.ts";
import { asFairleadError } from "../../door/problems.ts";
import { forever } from "../../lib/forever.ts";
import { wait } from "../../lib/wait.ts";
import { ContainerList, type FleetContainers, type HostContainers } from "../../protocol/container.ts";
import { FairleadError, Problem } from "../../protocol/errors.ts";
import { readNdjson } from "../../protocol/ndjson.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Relay } from "../relay/relay.ts";
import { answerOf, HOST, refusalOf } from "./agent-answer.ts";

/** Hosts that one caller follows at a time; of the others it is told that they are too many. */
const MAX_HOSTS = 512;
/** Milliseconds until an agent that is away, or has broken off, is asked again: it costs nothing where there is none. */
const RETRY = { first: 250, max: 2_000 };
/** Milliseconds from one line to the next, at least: many hosts that tell something at once are one line. */
const EVERY_MS = 100;
const WATCH = `${apiOf(undefined)}/containers?watch=1`;

export interface EverywhereParts {
  relay: Pick<Relay, "connect">;
  subject: Subject;
  /** The names of the hosts that he may see: now, and again whenever that may have changed. */
  nodes: AsyncIterable<string[]>;
  signal: AbortSignal;
}

interface Followed {
  now: HostContainers | undefined;
  stop: AbortController;
}

/** Each value has the hosts whose lists have changed since the one before, and nothing waits for a slow reader but the newest of each. */
export class Everywhere {
  readonly #parts: EverywhereParts;
  readonly #hosts = new Map<string, Followed>();
  readonly #changed = new Set<string>();
  #wake: () => void = () => {};
  #broken: unknown;
  #news = false;

  constructor(parts: EverywhereParts) {
    this.#parts = parts;
    parts.signal.addEventListener("abort", () => this.#tell(), { once: true });
  }

  /** Ends when the signal aborts. Read once. */
  async *lines(): AsyncGenerator<FleetContainers, void, void> {
    const { signal } = this.#parts;
    void this.#follow();
    while (!signal.aborted) {
      if (!this.#news) await new Promise<void>((resolve) => (this.#wake = resolve));
      this.#news = false;
      if (this.#broken !== undefined) throw this.#broken;
      const changed = [...this.#changed].flatMap((node) => this.#hosts.get(node)?.now ?? []);
      this.#changed.clear();
      if (!signal.aborted) yield { nodes: [...this.#hosts.keys()], changed };
      await wait(EVERY_MS, signal);
    }
  }

  async #follow(): Promise<void> {
    let first = true;
    try {
      for await (const names of this.#parts.nodes) {
        if (this.#compare(names) || first) this.#tell();
        first = false;
      }
    } catch (error) {
      this.#broken = error;
      this.#tell();
    }
  }

  /** Whether they are others than before. */
  #compare(names: string[]): boolean {
    const there = new Set(names);
    const gone = [...this.#hosts.keys()].filter((name) => !there.has(name));
    const fresh = names.filter((name) => !this.#hosts.has(name));
    for (const name of gone) {
      this.#hosts.get(name)?.stop.abort();
      this.#hosts.delete(name);
    }
    for (const name of fresh) this.#begin(name);
    return gone.length > 0 || fresh.length > 0;
  }

  #begin(node: string): void {
    const host: Followed = { now: undefined, stop: new AbortController() };
    this.#hosts.set(node, host);
    const failed = (error: unknown) => {
      const problem = asFairleadError(error).problem();
      if (host.now?.problem?.detail === problem.detail) return;
      this.#learn(host, { node, containers: host.now?.containers ?? [], problem });
    };
    if (this.#hosts.size > MAX_HOSTS)
      return failed(new FairleadError("too-many", `The containers of ${MAX_HOSTS} hosts are shown at a time.`));
    const signal = AbortSignal.any([this.#parts.signal, host.stop.signal]);
    const attempt = () => this.#read(node, signal, ({ containers }) => this.#learn(host, { node, containers }));
    void forever(attempt, { ...RETRY, signal, failed });
  }

  /** Until the agent breaks off; throws why. */
  async #read(node: string, signal: AbortSignal, learn: (list: ContainerList) => void): Promise<void> {
    const stream = await this.#parts.relay.connect(this.#parts.subject, node, "look");
    const cut = () => stream.destroy();
    signal.addEventListener("abort", cut, { once: true });
    try {
      signal.throwIfAborted();
      const asked = request({ createConnection: () => stream, path: WATCH, headers: { host: HOST } });
      const answered = answerOf(asked);
      asked.end();
      const answer = await answered;
      if (answer.statusCode !== 200) throw await refusalOf(answer);
      for await (const value of readNdjson(answer)) learn(listOf(value));
      throw new FairleadError("agent-away", `The agent of ${node} broke off.`);
    } finally {
      signal.removeEventListener("abort", cut);
      stream.destroy();
    }
  }

  #learn(host: Followed, now: HostContainers): void {
    host.now = now;
    this.#changed.add(now.node);
    this.#tell();
  }

  #tell(): void {
    this.#news = true;
    this.#wake();
  }
}

/** A line is a whole list, or why there will be no other. */
function listOf(value: unknown): ContainerList {
  const problem = Problem.safeParse(value);
  if (problem.success) throw FairleadError.from(problem.data);
  return ContainerList.parse(value);
}
