/** Bounds that many people share: who holds much leaves some of it to those who come next. */

import { FairleadError } from "../protocol/errors.ts";

/** Of what the others do not use, one may have so much. */
const SHARE = 3 / 4;

/** Places that are taken. */
export interface Taken {
  all: number;
  /** By whoever wants one more. */
  own: number;
}

/** `holders`: whose each place is that is taken. */
export function takenFrom(holders: readonly string[], subject: string): Taken {
  return { all: holders.length, own: holders.filter((holder) => holder === subject).length };
}

/** Throws `too-many` where no place is left, or none for him. `words` tell the bound in a sentence that has no full stop yet. */
export function checkShare(bound: number, { all, own }: Taken, words: string): void {
  if (all >= bound) throw new FairleadError("too-many", `${words}.`);
  const others = all - own;
  if (own >= Math.ceil((bound - others) * SHARE))
    throw new FairleadError("too-many", `${words}; you have ${own}, and the rest is kept for others.`);
}
