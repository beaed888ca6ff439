/** Keeps a list as it is elsewhere: one long answer, read line by line, asked for again whenever it breaks. */

import { signal } from "@preact/signals";
import { Backoff } from "../lib/backoff.ts";
import { wait } from "../lib/wait.ts";
import { FairleadError, Problem } from "../protocol/errors.ts";
import { readNdjson } from "../protocol/ndjson.ts";
import type { Account } from "./account.ts";
import type { Source } from "./source.ts";

/** Milliseconds between attempts: short, because people look at this page. */
const RETRY = { first: 500, max: 8_000 };

/** Milliseconds without a byte, signs of life included, after which the connection is dead even if nobody said so. */
const SILENCE = 45_000;

export type FeedState =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "waiting"; until: number; error: FairleadError };

export class Feed<T> {
  readonly list = signal<T | undefined>(undefined);
  readonly state = signal<FeedState>({ state: "connecting" });
  readonly #account: Account;
  readonly #source: Source<T>;
  #hurry = new AbortController();

  constructor(account: Account, source: Source<T>) {
    this.#account = account;
    this.#source = source;
  }

  /** Until stopped; then nothing is shown any more: whoever signs in as somebody else has another list. */
  async run(stop: AbortSignal): Promise<void> {
    const backoff = new Backoff(RETRY);
    stop.addEventListener("abort", () => (this.list.value = undefined), { once: true });
    while (!stop.aborted) {
      const error = await this.#attempt(stop, backoff);
      if (stop.aborted) return;
      await this.#pause(error, backoff.next(), stop);
    }
  }

  /** Ends the current wait, e.g. because the network is back or somebody pressed the button. */
  retryNow(): void {
    this.#hurry.abort();
  }

  /** One answer from its beginning to its break, which it returns. */
  async #attempt(stop: AbortSignal, backoff: Backoff): Promise<FairleadError> {
    try {
      const response = await this.#account.call(this.#source.path, { signal: stop });
      this.state.value = { state: "live" };
      let latest = this.list.peek();
      let timer: number | undefined;
      const read = this.#source.reader(latest);
      for await (const line of readNdjson(bytes(response))) {
        const problem = Problem.safeParse(line);
        if (problem.success) throw FairleadError.from(problem.data);
        latest = read(line);
        // Lines that come together are shown together: a log has hundreds of them.
        timer ??= setTimeout(() => {
          timer = undefined;
          if (!stop.aborted) this.list.value = latest;
        });
        backoff.reset();
      }
      return new FairleadError("unreachable", "The list was ended.");
    } catch (error) {
      return error instanceof FairleadError ? error : new FairleadError("unreachable", "The connection broke.");
    }
  }

  async #pause(error: FairleadError, ms: number, stop: AbortSignal): Promise<void> {
    this.state.value = { state: "waiting", until: Date.now() + ms, error };
    this.#hurry = new AbortController();
    await wait(ms, AbortSignal.any([stop, this.#hurry.signal]));
    if (!stop.aborted) this.state.value = { state: "connecting" };
  }
}

/** The body piece by piece; leaving the loop cancels it. Throws when the signs of life stay away. */
async function* bytes(response: Response): AsyncGenerator<Uint8Array> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read());
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

async function inTime<T>(reading: Promise<T>): Promise<T> {
  let timer: number | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new FairleadError("unreachable", "The connection has gone silent.")), SILENCE);
  });
  try {
    return await Promise.race([reading, silence]);
  } finally {
    clearTimeout(timer);
  }
}
