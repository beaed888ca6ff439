/** The configuration's grants, followed while the agent runs: who is taken out of it is out, and nobody else notices. */

import type { TokenGrant, Tokens } from "../auth/tokens.ts";
import { wait } from "../lib/wait.ts";
import { grantsOf } from "./access.ts";
import type { AgentConfig } from "./config.ts";

/** Like given certificates: reading small files costs less than trusting every file system to tell of changes. */
const EVERY_MS = 1_500;

export interface GrantsWatchOptions {
  tokens: Tokens;
  /** Those that hold already. */
  grants: AgentConfig["grants"];
  /** The configuration as its sources have it now. Rejects with words. */
  reread: () => Promise<Reread>;
  /** Milliseconds between two looks. */
  everyMs?: number;
  log: {
    info(fields: { added: string[]; withdrawn: string[] }, words: string): void;
    error(fields: { reason: string }, words: string): void;
  };
}

interface Reread {
  values: Pick<AgentConfig, "grants">;
  origins: { grants: { source: string } };
}

/** By all that is said of each: one that was changed is another. */
type Entries = ReadonlyMap<string, TokenGrant>;

/** Until the returned function is called. */
export function watchGrants(options: GrantsWatchOptions): () => void {
  const life = new AbortController();
  void new GrantsWatch(options).follow(life.signal);
  return () => life.abort();
}

class GrantsWatch {
  readonly #options: GrantsWatchOptions;
  #held: Entries;
  /** As the last look found it. */
  #seen = "";
  #complaint = "";

  constructor(options: GrantsWatchOptions) {
    this.#options = options;
    this.#held = entriesOf(options.grants);
  }

  /** A configuration with mistakes changes nothing, and is told once. */
  async follow(signal: AbortSignal): Promise<void> {
    const { reread, log, everyMs = EVERY_MS } = this.#options;
    for (;;) {
      await wait(everyMs, signal);
      if (signal.aborted) return;
      try {
        this.#look(await reread());
        this.#complaint = "";
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (reason !== this.#complaint) log.error({ reason }, "the configuration's grants cannot be taken over");
        this.#complaint = reason;
      }
    }
  }

  #look({ values, origins }: Reread): void {
    const { tokens, log } = this.#options;
    if (origins.grants.source === "default" && this.#held.size > 0)
      throw new Error("There are no grants in the configuration any more. To withdraw all of them write: grants: []");
    const wanted = entriesOf(values.grants);
    const found = [...wanted.keys()].join("\n");
    const settled = found === this.#seen;
    this.#seen = found;
    // Half a file may be a configuration, too, and give more than the whole.
    if (!settled) return;
    const withdrawn = without(this.#held, wanted).map(({ grant }) => grant.subject);
    const added = without(wanted, this.#held);
    if (withdrawn.length + added.length === 0) return;
    tokens.replace(withdrawn, added);
    this.#held = wanted;
    log.info({ added: added.map(({ grant }) => grant.subject), withdrawn }, "the configuration has other grants");
  }
}

function entriesOf(grants: AgentConfig["grants"]): Entries {
  return new Map(grantsOf(grants).map((entry) => [JSON.stringify(entry), entry]));
}

function without(some: Entries, others: Entries): TokenGrant[] {
  return [...some].filter(([entry]) => !others.has(entry)).map(([, grant]) => grant);
}
