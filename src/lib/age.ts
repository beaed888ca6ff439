/** How long ago something was, in one short word: the same in a terminal and on the page. */

const UNITS = [
  { letter: "d", ms: 86_400_000 },
  { letter: "h", ms: 3_600_000 },
  { letter: "m", ms: 60_000 },
  { letter: "s", ms: 1_000 },
];
/** Up to so many of the larger unit the smaller one is told: 119m, then 2h. */
const ENOUGH = 2;

/** Milliseconds in the largest unit of which there are enough: `45s`, `12m`, `5h`, `3d`; `0s` for a time to come. */
export function age(ms: number): string {
  const unit = UNITS.find((each) => ms >= ENOUGH * each.ms);
  return unit ? `${Math.floor(ms / unit.ms)}${unit.letter}` : `${Math.max(0, Math.floor(ms / 1_000))}s`;
}
