/** A small chart of the last minutes: one line or two, the newest at the right. */

import { drawn, HEIGHT, type Point, WIDTH } from "./curve.ts";

/** Milliseconds that a chart shows at least: the first reports are the beginning of a line. */
const MIN_SPAN = 60_000;

export interface ChartProps {
  label: string;
  /** What it is now, in words. */
  now: string;
  lines: readonly (readonly Point[])[];
  /** What the top is; without it the highest value there is. */
  max?: number;
  /** Milliseconds without a report after which a line is interrupted. */
  gap: number;
}

export function Chart({ label, now, lines, max, gap }: ChartProps) {
  const all = lines.flat();
  const times = all.map(([time]) => time);
  const end = Math.max(0, ...times);
  const span = Math.max(MIN_SPAN, end - Math.min(end, ...times));
  const top = max ?? Math.max(1, ...all.map(([, value]) => value ?? 0));
  return (
    <figure class="chart">
      <figcaption>
        <span class="quiet">{label}</span> {now}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${label}: ${now}`}>
        {lines.map((points, index) => (
          <path key={index} class={`line-${index}`} d={drawn(points, { end, span, top, gap })} />
        ))}
      </svg>
    </figure>
  );
}
