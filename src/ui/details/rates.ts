/** How fast a container sends, receives, reads and writes, out of what the engine counts. */

import type { StatsView } from "../../protocol/stats.ts";

/** Milliseconds after which two samples have nothing to do with each other. */
export const GAP = 5_000;

export interface Sample {
  /** Milliseconds since 1970. */
  time: number;
  stats: StatsView;
  /** Bytes a second since the sample before; absent after a gap or a restart. */
  rates?: Rates;
}

export interface Rates {
  received: number;
  sent: number;
  read: number;
  written: number;
}

/** The engine counts from the start of the container. */
export function ratesOf(before: Sample | undefined, { time, stats }: Sample): Rates | undefined {
  if (!before || time <= before.time || time - before.time > GAP) return undefined;
  const seconds = (time - before.time) / 1_000;
  const { network, block } = before.stats;
  const rates = {
    received: (stats.network.received - network.received) / seconds,
    sent: (stats.network.sent - network.sent) / seconds,
    read: (stats.block.read - block.read) / seconds,
    written: (stats.block.written - block.written) / seconds,
  };
  return Object.values(rates).every((rate) => rate >= 0) ? rates : undefined;
}
