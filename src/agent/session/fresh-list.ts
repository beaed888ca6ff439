/** The engine's own list of containers, for names that its events have not told of yet: shared by all who ask, and asked for seldom. */

import { wait } from "../../lib/wait.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { Container, Runtime } from "../runtime/runtime.ts";
import { toFairleadError } from "./failure.ts";

/** Milliseconds of rest for the engine between two lists; after one that took longer, as long as that took. */
const REST_MS = 100;
/** Milliseconds that one list may take. */
const LIST_MS = 10_000;
/** Milliseconds after which the events have told of everything that a list has. */
const RECENT_MS = 1_000;
/** Callers that wait at a time, each perhaps with what its client has sent already. */
const MAX_WAITING = 256;

export class FreshList {
  readonly #runtime: Runtime;
  readonly #stop = new AbortController();
  #list: Container[] | undefined;
  /** Milliseconds of `performance`: when the newest list had come, and when the next one may be asked for. */
  #came = 0;
  #due = 0;
  /** The list that is under way, which may be older than what somebody looks for now ... */
  #current: Promise<void> | undefined;
  /** ... and the one after it, which is not. */
  #next: Promise<void> | undefined;
  #waiting = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** What the engine has just said, until the events tell something newer. */
  get recent(): readonly Container[] | undefined {
    return this.#list && performance.now() - this.#came < RECENT_MS ? this.#list : undefined;
  }

  /** The events have told something newer. */
  forget(): void {
    this.#list = undefined;
  }

  /**
   * Resolves once `recent` is a list that was asked for after this call. Throws `too-many` and, when the engine does
   * not answer in time, `engine-unavailable`.
   */
  async refresh(): Promise<void> {
    if (this.#waiting >= MAX_WAITING)
      throw new FairleadError("too-many", `At most ${MAX_WAITING} unknown containers are looked for at a time.`);
    this.#waiting += 1;
    this.#next ??= this.#take();
    await this.#next.finally(() => {
      this.#waiting -= 1;
    });
  }

  /** Whoever waits is told that the agent is shutting down. */
  async close(): Promise<void> {
    this.#stop.abort(new FairleadError("shutting-down", "The agent is shutting down."));
    await Promise.allSettled([this.#current, this.#next]);
  }

  async #take(): Promise<void> {
    await this.#current?.catch(() => undefined);
    await wait(Math.max(0, this.#due - performance.now()), this.#stop.signal);
    this.#current = this.#next;
    this.#next = undefined;
    const began = performance.now();
    const list = await this.#ask().finally(() => {
      const now = performance.now();
      this.#due = now + Math.max(REST_MS, now - began);
    });
    this.#list = list;
    this.#came = performance.now();
  }

  async #ask(): Promise<Container[]> {
    const late = AbortSignal.timeout(LIST_MS);
    try {
      return await this.#runtime.list(AbortSignal.any([this.#stop.signal, late]));
    } catch (error) {
      if (!late.aborted) throw toFairleadError(error);
      const words = `The container engine did not list its containers within ${LIST_MS / 1000} s.`;
      throw new FairleadError("engine-unavailable", words, { cause: error });
    }
  }
}
