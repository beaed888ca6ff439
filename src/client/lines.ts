/** The connections of a client: one that all nodes share, or one of its own for each. */

import { Budget } from "../mux/budget.ts";
import type { ClientOptions } from "./client.ts";
import { Link } from "./link.ts";

const DEFAULT_BUDGET = 64 * 1024 * 1024;

export class Lines {
  readonly #options: ClientOptions;
  readonly #budget: Budget;
  /** By node; undefined for the one that all others share. */
  readonly #links = new Map<string | undefined, Link>();

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#budget = new Budget(options.budget ?? DEFAULT_BUDGET);
  }

  /** Dialled when its first session is opened. */
  to(node: string | undefined): Link {
    const { dial, dialNode, software, onState = () => {} } = this.#options;
    const own = dialNode ? node : undefined;
    const known = this.#links.get(own);
    if (known) return known;
    const link = new Link({
      dial: own === undefined || !dialNode ? dial : dialNode(own),
      software,
      onState: (state) => onState(state, own),
      budget: this.#budget,
    });
    this.#links.set(own, link);
    return link;
  }

  /** Ends them. Idempotent. */
  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()));
  }
}
