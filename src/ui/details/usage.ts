/** What one container uses, as it changes, and what it used in the last minutes. */

import { signal } from "@preact/signals";
import { StatsList, type StatsView } from "../../protocol/stats.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Account } from "../account.ts";
import { Feed } from "../feed.ts";
import type { Target } from "../tab.ts";
import { ratesOf, type Sample } from "./rates.ts";

/** Milliseconds that are remembered, of about one sample a second. */
const SPAN = 5 * 60_000;

export class Usage {
  readonly samples = signal<readonly Sample[]>([]);
  readonly #feed: Feed<readonly Sample[]>;

  constructor(account: Account, { id, node }: Target) {
    const path = `${apiOf(node)}/containers/${id}/stats?watch=1`;
    this.#feed = new Feed(account, { path, reader: () => (line) => this.#take(StatsList.parse(line).stats) });
  }

  get state(): Feed<unknown>["state"] {
    return this.#feed.state;
  }

  /** Until stopped; what was seen stays, and goes on when it is called again. */
  run(stop: AbortSignal): Promise<void> {
    return this.#feed.run(stop);
  }

  #take([stats]: StatsView[]): readonly Sample[] {
    const before = this.samples.peek();
    if (!stats) return before;
    const time = Date.now();
    const rates = ratesOf(before.at(-1), { time, stats });
    const kept = before.filter((sample) => sample.time > time - SPAN);
    return (this.samples.value = [...kept, { time, stats, ...(rates && { rates }) }]);
  }
}
