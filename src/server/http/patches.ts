/** A document by names that changes, as lines of JSON Merge Patches (RFC 7396), each of what the lines before it have made. */

import { patchOf } from "../../lib/merge-patch.ts";

export type Patches = Record<string, Record<string, unknown> | null>;

/** Characters after which a line ends and the next one goes on: readers have a bound. */
const LINE = 1_048_576;

/**
 * At first everything, even if that is nothing; later what is different of the names that may be. `look`: what a name stands
 * for now; `undefined` when it is gone, or not for this reader.
 */
export async function* patches(
  changes: AsyncIterable<ReadonlySet<string>>,
  look: (name: string) => object | undefined,
): AsyncGenerator<Patches, void, void> {
  const told = new Map<string, object>();
  let first = true;
  for await (const names of changes) {
    let line = new Map<string, Patches[string]>();
    let length = 0;
    for (const name of names) {
      const patch = tell(told, name, look(name));
      if (patch === undefined) continue;
      line.set(name, patch);
      length += JSON.stringify(patch).length;
      if (length < LINE) continue;
      yield Object.fromEntries(line);
      line = new Map();
      [length, first] = [0, false];
    }
    if (line.size > 0 || first) yield Object.fromEntries(line);
    first = false;
  }
}

/** What is different since it was told; `undefined`: nothing. */
function tell(told: Map<string, object>, name: string, now: object | undefined): Patches[string] | undefined {
  const before = told.get(name);
  if (now) told.set(name, now);
  else told.delete(name);
  if (!now) return before && null;
  return patchOf(before, now) as Record<string, unknown> | undefined;
}
