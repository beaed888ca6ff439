/** How what a container uses looks in a row. */

import { roundSize } from "../lib/size.ts";
import type { StatsView } from "../protocol/stats.ts";
import type { Listing } from "./output-format.ts";

const HEADINGS = ["NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS"];

export const STATS: Listing<StatsView> = { headings: HEADINGS, row, name: ({ name }) => name };

/** Whoever is busiest comes first. */
export function busiestFirst(stats: readonly StatsView[]): StatsView[] {
  return stats.toSorted((a, b) => b.cpu - a.cpu || (a.name < b.name ? -1 : 1));
}

function row({ name, cpu, memory, network, block, pids }: StatsView): string[] {
  return [
    name,
    percent(cpu),
    `${roundSize(memory.used, 1024)} / ${roundSize(memory.limit, 1024)}`,
    percent(memory.limit > 0 ? (memory.used / memory.limit) * 100 : 0),
    `${roundSize(network.received, 1000)} / ${roundSize(network.sent, 1000)}`,
    `${roundSize(block.read, 1000)} / ${roundSize(block.written, 1000)}`,
    String(pids),
  ];
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}
