/** Figures over time as a line: an SVG path, the oldest at the left and the newest at the right. */

/** In units of the drawing, which is stretched to the room there is. */
export const WIDTH = 120;
export const HEIGHT = 32;

/** Undefined where a report did not say. */
export type Point = readonly [time: number, value: number | undefined];

export interface Scale {
  /** The time at the right, and how long before that the left is. */
  end: number;
  span: number;
  /** The value at the top. */
  top: number;
  /** Milliseconds without a report after which the line is interrupted. */
  gap: number;
}

export function drawn(points: readonly Point[], { end, span, top, gap }: Scale): string {
  let last: number | undefined;
  const steps = points.map(([time, value]) => {
    if (value === undefined) return "";
    const joined = last !== undefined && time - last <= gap;
    last = time;
    const x = WIDTH * (1 - (end - time) / span);
    const y = HEIGHT * (1 - Math.min(value, top) / top);
    return `${joined ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  return steps.join("");
}
