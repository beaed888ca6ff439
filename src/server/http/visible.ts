/** The names of the hosts that a caller may see, as hosts come and go. */

import { reaches, type Subject } from "../../auth/grant.ts";
import type { Nodes } from "../nodes/nodes.ts";

/** At once, and again when one was added or removed. Ends when the signal aborts. */
export async function* visible(
  { roster }: Nodes,
  { grant }: Subject,
  signal: AbortSignal,
): AsyncGenerator<string[], void, void> {
  let before: string[] | undefined;
  for await (const _ of (await roster.follow(signal)).changes()) {
    const names = roster.names.filter((name) => reaches(grant, name));
    if (before?.length === names.length && names.every((name, at) => name === before?.[at])) continue;
    yield names;
    before = names;
  }
}
