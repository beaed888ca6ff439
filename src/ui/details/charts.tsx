/** Small charts of what a container uses. */

import { roundSize } from "../../lib/size.ts";
import { Chart } from "../chart.tsx";
import { GAP, type Rates, type Sample } from "./rates.ts";
import type { Usage } from "./usage.ts";

interface Figure {
  label: string;
  now: (sample: Sample) => string;
  lines: ((sample: Sample) => number | undefined)[];
}

const FIGURES: Figure[] = [
  { label: "CPU", now: ({ stats }) => `${stats.cpu.toFixed(1)}%`, lines: [({ stats }) => stats.cpu] },
  { label: "Memory", now: ({ stats }) => memoryWords(stats.memory), lines: [({ stats }) => stats.memory.used] },
  {
    label: "Network",
    now: ({ rates }) => (rates ? `${rate(rates.received)} in, ${rate(rates.sent)} out` : ""),
    lines: both("received", "sent"),
  },
  {
    label: "Block I/O",
    now: ({ rates }) => (rates ? `${rate(rates.read)} read, ${rate(rates.written)} written` : ""),
    lines: both("read", "written"),
  },
  { label: "Processes", now: ({ stats }) => String(stats.pids), lines: [({ stats }) => stats.pids] },
];

export function UsageCharts({ usage }: { usage: Usage }) {
  const samples = usage.samples.value;
  const last = samples.at(-1);
  if (!last) return <p class="quiet">{usage.state.value.state === "waiting" ? "No figures come." : "Measuring …"}</p>;
  const { network, block } = last.stats;
  return (
    <>
      <div class="charts">
        {FIGURES.map(({ label, now, lines }) => {
          const points = lines.map((of) => samples.map((sample) => [sample.time, of(sample)] as const));
          return <Chart key={label} label={label} now={now(last)} lines={points} gap={GAP} />;
        })}
      </div>
      <p class="quiet">
        Since it started: {size(network.received)} received, {size(network.sent)} sent, {size(block.read)} read,{" "}
        {size(block.written)} written.
      </p>
    </>
  );
}

function both(one: keyof Rates, other: keyof Rates): Figure["lines"] {
  return [({ rates }) => rates?.[one], ({ rates }) => rates?.[other]];
}

function memoryWords({ used, limit }: { used: number; limit: number }): string {
  return `${roundSize(used, 1024)} of ${roundSize(limit, 1024)}`;
}

function size(bytes: number): string {
  return roundSize(bytes, 1000);
}

function rate(bytes: number): string {
  return `${size(Math.round(bytes))}/s`;
}
