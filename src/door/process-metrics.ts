/** What every program tells about its process: which version it is, what Node counts, and how late its event loop comes. */

import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { collectDefaultMetrics, type Registry } from "prom-client";
import { Figures } from "./figures.ts";

/** Milliseconds between two looks at the event loop; a look is late by what kept the loop from it. */
const RESOLUTION_MS = 20;
/** Milliseconds. What is told covers the last whole period and the one that runs, so whoever asks once in a period misses nothing. */
const PERIOD_MS = 60_000;
const QUANTILES = ["0.5", "0.99", "1"] as const;
const NS_PER_S = 1e9;

type Delays = Record<(typeof QUANTILES)[number], number>;

/** Call the result when the program ends. */
export function processMetrics(registry: Registry, version: string): () => void {
  collectDefaultMetrics({ register: registry });
  const figures = new Figures(registry);
  figures.gauge({ name: "fairlead_build_info", help: "1, with the version.", labels: ["version"] }, () => [
    [{ version }, 1],
  ]);
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  let before = delaysIn(histogram);
  const timer = setInterval(() => {
    before = delaysIn(histogram);
    histogram.reset();
  }, PERIOD_MS).unref();
  const delay = {
    name: "fairlead_event_loop_delay_seconds",
    help: "How late the event loop came to its work in the last one to two minutes.",
    labels: ["quantile"],
  };
  figures.gauge(delay, () => {
    const now = delaysIn(histogram);
    return QUANTILES.map((quantile) => [{ quantile }, Math.max(before[quantile], now[quantile])] as const);
  });
  return () => {
    clearInterval(timer);
    histogram.disable();
  };
}

/** In seconds; what Node records has the time between two looks in it. */
function delaysIn(histogram: IntervalHistogram): Delays {
  const late = (ns: number) => Math.max(0, ns / NS_PER_S - RESOLUTION_MS / 1_000);
  if (histogram.count === 0) return { "0.5": 0, "0.99": 0, "1": 0 };
  return {
    "0.5": late(histogram.percentile(50)),
    "0.99": late(histogram.percentile(99)),
    "1": late(histogram.max),
  };
}
