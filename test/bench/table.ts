/** Shows results to people (a table) and to programs (a JSON line each). */

import type { Failure, Result } from "./figure.ts";

const HEADINGS = ["figure", "ours", "peer", "unit", "ratio", "must be", "spread", "pairs", ""];

/** Marks each figure that misses its bound or could not be taken. */
export function table(outcomes: readonly (Result | Failure)[]): string {
  const rows = [HEADINGS, ...outcomes.map(cells)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  const failures = outcomes.filter((outcome) => "error" in outcome);
  return [...lines, ...failures.map((failure) => `${failure.name}: ${failure.error}`)].join("\n");
}

/** Numbers have four significant digits: more would be noise. */
export function jsonLine(outcome: Result | Failure): string {
  return JSON.stringify(outcome, (_, value: unknown) => (typeof value === "number" ? Number(digits(value)) : value));
}

function cells(outcome: Result | Failure): string[] {
  if ("error" in outcome) return [outcome.name, "-", "-", "", "-", "", "", "", "FAILED"];
  const { name, ours, peer, unit, ratio, better, bound, spread, pairs, pass } = outcome;
  const limit = bound === undefined ? "" : `${better === "higher" ? ">=" : "<="} ${bound.toFixed(2)}`;
  const range = spread.map((value) => value.toFixed(2)).join("-");
  return [name, digits(ours), digits(peer), unit, ratio.toFixed(3), limit, range, String(pairs), pass ? "" : "MISSED"];
}

function digits(value: number): string {
  return String(Number(value.toPrecision(4)));
}
