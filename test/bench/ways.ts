/** The contest of a server with itself: the same work through it, and directly to the same agent. */

import { freePort } from "../support/free-port.ts";
import type { Contest } from "./figure.ts";
import type { Way } from "./ours/fleet.ts";
import { type Stage, WEB } from "./stage.ts";

export async function betweenWays(stage: Stage, sample: (way: Way) => Promise<number>): Promise<Contest> {
  await stage.web();
  const { relayed, direct } = await stage.fleet();
  return {
    ours: async () => [await sample(relayed)],
    peer: async () => [await sample(direct)],
    [Symbol.asyncDispose]: async () => {},
  };
}

/** The same with {@link WEB}'s port forwarded to a local one, for each sample anew. */
export function betweenForwardedWays(
  stage: Stage,
  remote: number,
  sample: (port: number) => Promise<number>,
): Promise<Contest> {
  return betweenWays(stage, async (way) => {
    const local = await freePort();
    await using _ = await way.forward(WEB, new Map([[local, remote]]));
    return await sample(local);
  });
}
