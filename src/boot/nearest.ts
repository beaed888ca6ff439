/** "Did you mean": the known word that a mistyped one is closest to. */

/** More mistakes than this and a guess would only confuse. */
const MAX_DISTANCE = 3;

/** `undefined` when nothing is close: at most `limit` edits, and fewer than half of the word. */
export function nearest(word: string, known: Iterable<string>, limit = MAX_DISTANCE): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.min(limit + 1, Math.ceil(word.length / 2));
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = edits(word, candidate);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Letters to insert, remove, change or swap with a neighbour to get from one word to the other. */
function edits(from: string, to: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row++) {
    const current = [row];
    for (let column = 1; column <= to.length; column++) {
      const changed = from[row - 1] === to[column - 1] ? 0 : 1;
      const swapped = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        at(last, column - 1) + changed,
        swapped ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [beforeLast, last] = [last, current];
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
