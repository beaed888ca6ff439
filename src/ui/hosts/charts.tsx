/** What a host uses, with a small chart of each figure; of one that is away, what it used. */

import { roundSize } from "../../lib/size.ts";
import { type GpuMetrics, presentBeat } from "../../protocol/node.ts";
import { Chart } from "../chart.tsx";
import type { Point } from "../curve.ts";
import type { Host, Sample } from "./hosts.ts";

/** Reports that may fail to come before a line is interrupted. */
const MISSED = 3;

export function Charts({ host: { node, samples } }: { host: Host }) {
  const { beat, settings } = node;
  if (!beat) return null;
  const { memoryTotal, memoryFree, diskTotal, diskFree, received, sent, gpus = [] } = beat;
  const now = (words: string) => (presentBeat(node) ? words : "not known");
  const gap = MISSED * settings.heartbeatInterval;
  const points = (of: (sample: Sample) => number | undefined): Point[] =>
    samples.map((sample) => [sample.time, of(sample)]);
  return (
    <div class="charts">
      <Chart label="CPU" now={now(percent(beat.cpuUsage))} lines={[points(({ cpu }) => cpu)]} max={100} gap={gap} />
      <Chart
        label="Memory"
        now={now(used(memoryTotal, memoryFree))}
        lines={[points(({ memory }) => memory)]}
        max={100}
        gap={gap}
      />
      {diskTotal !== undefined && diskFree !== undefined && (
        <Chart
          label="Disk"
          now={now(used(diskTotal, diskFree))}
          lines={[points(({ disk }) => disk)]}
          max={100}
          gap={gap}
        />
      )}
      {received !== undefined && sent !== undefined && (
        <Chart
          label="Network"
          now={now(`${rate(received)} in, ${rate(sent)} out`)}
          lines={[points((sample) => sample.received), points((sample) => sample.sent)]}
          gap={gap}
        />
      )}
      {gpus.map((gpu, index) => (
        <Chart
          key={gpu.uuid}
          label={gpu.name}
          now={now(gpuWords(gpu))}
          lines={[points((sample) => sample.gpus[index])]}
          max={100}
          gap={gap}
        />
      ))}
    </div>
  );
}

function percent(value: number): string {
  return `${Math.round(value)}%`;
}

function used(total: number, free: number): string {
  return `${roundSize(total - free, 1024)} of ${roundSize(total, 1024)}`;
}

function rate(bytes: number): string {
  return `${roundSize(bytes, 1000)}/s`;
}

function gpuWords({ usage, memoryUsed, memoryTotal, temperature, power }: GpuMetrics): string {
  const memory = memoryUsed !== undefined && memoryTotal !== undefined && used(memoryTotal, memoryTotal - memoryUsed);
  const words = [
    usage !== undefined && percent(usage),
    memory,
    temperature !== undefined && `${temperature} °C`,
    power !== undefined && `${Math.round(power)} W`,
  ];
  return words.filter(Boolean).join(", ");
}
