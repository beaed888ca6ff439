/** What a figure is: a contest between Fairlead and what people use today, and the numbers that come out of it. */

import type { Stage } from "./stage.ts";

/** One number of a figure. The ratio is always ours / peer. */
export interface Measure {
  /** The first measure of a figure has the figure's name. */
  name: string;
  unit: string;
  better: "higher" | "lower";
  /** The ratio must be at least this where higher is better, at most this where lower is. None where nothing is promised. */
  bound?: number;
}

/** Both sides, set up and warm: each call takes one sample, a number for each measure in order. */
export interface Contest extends AsyncDisposable {
  ours(): Promise<number[]>;
  peer(): Promise<number[]>;
}

export interface Figure {
  /** What is compared with what, in one line. */
  about: string;
  measures: readonly [Measure, ...Measure[]];
  /** Rejects when either side cannot be had: a missing peer is a failure, never a pass. */
  open(stage: Stage): Promise<Contest>;
}

/** What one measure came to; also the shape of a JSON line. */
export interface Result {
  name: string;
  /** Median over the pairs. */
  ours: number;
  peer: number;
  /** The medians' quotient. */
  ratio: number;
  unit: string;
  better: "higher" | "lower";
  pairs: number;
  /** Lowest and highest ratio of a single pair. */
  spread: [number, number];
  bound?: number;
  pass: boolean;
}

/** A figure that could not be taken at all. */
export interface Failure {
  name: string;
  error: string;
}
