/** What a process full of agents is told, and what it tells. */

export type Order =
  /** A token for each agent. */
  | { do: "join"; url: string; tokens: string[] }
  /** Count from now on. */
  | { do: "begin" }
  | { do: "tell" };

/** Of all agents together; counts are of the time since they were told to begin. */
export interface Tally {
  /** Agents whose line is up now. */
  connected: number;
  /** Agents that have reported. */
  reported: number;
  /** Milliseconds from each report that was acknowledged to the one before. */
  gaps: number[];
  /** Attempts to connect, and those that were let in, by second since 1970. */
  dials: Record<string, number>;
  lines: Record<string, number>;
  /** Reports that were not acknowledged, by their reason. */
  refused: Record<string, number>;
}

export function newTally(): Tally {
  return { connected: 0, reported: 0, gaps: [], dials: {}, lines: {}, refused: {} };
}

export function sum(tallies: readonly Tally[]): Tally {
  const all = newTally();
  for (const tally of tallies) {
    all.connected += tally.connected;
    all.reported += tally.reported;
    all.gaps.push(...tally.gaps);
    for (const what of ["dials", "lines", "refused"] as const)
      for (const [key, count] of Object.entries(tally[what])) all[what][key] = (all[what][key] ?? 0) + count;
  }
  return all;
}
