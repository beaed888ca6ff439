/** Takes samples of both sides in turn, so that whatever else the machine does meets both alike. */

import type { Contest, Measure, Result } from "./figure.ts";
import { median, spread } from "./statistics.ts";

interface Pair {
  ours: number[];
  peer: number[];
}

/** One sample of each side first, which does not count: caches fill, code gets compiled, windows open. */
export async function takePairs(contest: Contest, count: number): Promise<Pair[]> {
  await contest.peer();
  await contest.ours();
  const pairs: Pair[] = [];
  for (let i = 0; i < count; i++) pairs.push(await takePair(contest, i % 2 === 0 ? "ours" : "peer"));
  return pairs;
}

/** Who goes first changes from pair to pair: whatever the first leaves behind, the second would always pay for. */
async function takePair(contest: Contest, first: "ours" | "peer"): Promise<Pair> {
  if (first === "ours") {
    const ours = await contest.ours();
    return { ours, peer: await contest.peer() };
  }
  const peer = await contest.peer();
  return { ours: await contest.ours(), peer };
}

export function summarise(measures: readonly Measure[], pairs: readonly Pair[]): Result[] {
  return measures.map(({ name, unit, better, bound }, i) => {
    const ours = pairs.map((pair) => pair.ours[i] ?? Number.NaN);
    const peer = pairs.map((pair) => pair.peer[i] ?? Number.NaN);
    const ratio = median(ours) / median(peer);
    return {
      name,
      ours: median(ours),
      peer: median(peer),
      ratio,
      unit,
      better,
      pairs: pairs.length,
      spread: spread(ours.map((value, k) => value / (peer[k] ?? Number.NaN))),
      ...(bound !== undefined && { bound }),
      pass: bound === undefined || (better === "higher" ? ratio >= bound : ratio <= bound),
    };
  });
}
