/** What a caller may see of the fleet: the names of his hosts, as hosts come and go, and of each what tells of no one else's containers. */

import { reaches, type Subject } from "../../auth/grant.ts";
import type { NodeView } from "../../protocol/node.ts";
import type { Grant } from "../../protocol/rights.ts";
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

/** Who uses a host's GPUs is for those who may see all of its containers. */
export function seenWith({ scopes }: Grant, view: NodeView): NodeView {
  const { beat } = view;
  if (scopes.length === 0 || !beat?.gpus) return view;
  return { ...view, beat: { ...beat, gpus: beat.gpus.map((gpu) => ({ ...gpu, processes: [] })) } };
}
