/** The configuration's grants, followed while the agent runs: who is taken out of it is out, and nobody else notices. */

import type { Tokens } from "../auth/tokens.ts";
import { wait } from "../lib/wait.ts";
import { grantsOf } from "./access.ts";
import type { AgentConfig } from "./config.ts";

/** Like given certificates: reading small files costs less than trusting every file system to tell of changes. */
const EVERY_MS = 2_000;

export interface GrantsWatchOptions {
  tokens: Tokens;
  /** Those that hold already. */
  grants: AgentConfig["grants"];
  /** The configuration as its sources have it now. Rejects with words. */
  reread: () => Promise<Pick<AgentConfig, "grants">>;
  log: {
    info(fields: { added: string[]; withdrawn: string[] }, words: string): void;
    error(fields: { err: unknown }, words: string): void;
  };
}

/** Until the returned function is called. A configuration with mistakes changes nothing, and is told once. */
export function watchGrants({ tokens, grants, reread, log }: GrantsWatchOptions): () => void {
  const life = new AbortController();
  const { signal } = life;
  const held = byEntry(grants);
  let complaint = "";
  const look = async () => {
    const wanted = byEntry((await reread()).grants);
    if (signal.aborted) return;
    const [added, withdrawn]: [string[], string[]] = [[], []];
    // All of the old first: a token may go from one name to another.
    for (const [entry, { grant }] of held)
      if (!wanted.has(entry)) {
        tokens.revoke(grant.subject);
        held.delete(entry);
        withdrawn.push(grant.subject);
      }
    for (const [entry, each] of wanted)
      if (!held.has(entry)) {
        tokens.add(each);
        held.set(entry, each);
        added.push(each.grant.subject);
      }
    complaint = "";
    if (added.length + withdrawn.length > 0) log.info({ added, withdrawn }, "the configuration has other grants");
  };
  const follow = async () => {
    for (;;) {
      await wait(EVERY_MS, signal);
      if (signal.aborted) return;
      await look().catch((err: unknown) => {
        if (String(err) !== complaint) log.error({ err }, "the configuration's grants cannot be taken over");
        complaint = String(err);
      });
    }
  };
  void follow();
  return () => life.abort();
}

/** By all that is said of each: one that was changed is another. */
function byEntry(grants: AgentConfig["grants"]) {
  return new Map(grantsOf(grants).map((entry) => [JSON.stringify(entry), entry]));
}
