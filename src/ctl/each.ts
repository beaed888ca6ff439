/** The same for several containers: one that fails does not keep the others from it. */

import { verdictOf } from "./failure.ts";
import type { Invocation } from "./invocation.ts";

/** So many at a time. */
const AT_ONCE = 8;

/** Works on all and writes what comes of each in their order; resolves with the exit code of the first that failed, or 0. */
export async function forEach(
  { stdout, messages }: Invocation,
  containers: readonly string[],
  work: (container: string) => Promise<string>,
): Promise<number> {
  const results: Promise<string>[] = [];
  let exit = 0;
  for (const [i, container] of containers.entries()) {
    const result = Promise.resolve(results[i - AT_ONCE]).then(
      () => work(container),
      () => work(container),
    );
    result.catch(() => {});
    results.push(result);
  }
  for (const [i, result] of results.entries()) {
    try {
      await stdout.write(await result);
    } catch (error) {
      const verdict = verdictOf(error);
      if (containers.length === 1 || verdict.words === undefined) throw error;
      messages.say(`${containers[i]}: ${verdict.words}`);
      exit ||= verdict.exit;
    }
  }
  return exit;
}
