/** A time limit that counts what others let us wait for, and not what this process was too busy to look at. */

/**
 * Calls `work` after `ms` milliseconds, once what has come until then was dealt with: timers are the first thing that a
 * process does after it stood still, before it reads. The result calls it off.
 */
export function giveUpAfter(ms: number, work: () => void): () => void {
  let turn: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    turn = setImmediate(work);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(turn);
  };
}
