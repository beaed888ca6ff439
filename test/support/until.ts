/** Waits for a state: the one place where tests look again and again. */

import { setImmediate as nextTurn } from "node:timers/promises";

export interface UntilOptions {
  /** Milliseconds after which it will not happen any more. */
  patience?: number;
  /** Milliseconds between two looks. */
  every?: number;
}

/** Resolves with the first answer of `look` that is neither undefined nor false; rejects with `what` when none comes in time. */
export async function until<T>(
  what: string,
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { patience = 30_000, every = 20 }: UntilOptions = {},
): Promise<T> {
  const end = performance.now() + patience;
  for (;;) {
    const answer = await look();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`waited ${patience / 1000} s in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** How often a number must be what it was at the look before: on a busy machine it may only be slow to change. */
const EQUAL_LOOKS = 3;

/** Resolves with a number once it stays what it is from one look to the next. */
export async function settled(look: () => number): Promise<number> {
  let before = Number.NaN;
  let equal = 0;
  await until(
    "a number that stays",
    async () => {
      // What has arrived while this process was busy counts.
      await nextTurn();
      const now = look();
      equal = now === before ? equal + 1 : 0;
      before = now;
      return equal === EQUAL_LOOKS;
    },
    { every: 300 },
  );
  return before;
}
