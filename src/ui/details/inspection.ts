/** Everything that the agent tells of one container, asked for again whenever its row in the list changes. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { ContainerDetailView } from "../../protocol/container.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Account } from "../account.ts";
import type { Placed } from "../containers/containers.ts";
import { failure } from "../failure.ts";

export interface Inspection {
  /** As last told. */
  detail?: ContainerDetailView;
  /** Why there is nothing newer. */
  problem?: string;
}

/** `container` is its row; without one it is not asked for. */
export function useInspection(account: Account, container: Placed | undefined): Signal<Inspection> {
  const found = useSignal<Inspection>({});
  useEffect(() => {
    if (!container) return undefined;
    const stop = new AbortController();
    inspect(account, container, stop.signal).then(
      (detail) => (found.value = { detail }),
      (error: unknown) => {
        if (!stop.signal.aborted) found.value = { ...found.peek(), problem: failure(error).message };
      },
    );
    return () => stop.abort();
  }, [JSON.stringify(container)]);
  return found;
}

async function inspect(account: Account, { id, node }: Placed, abort: AbortSignal): Promise<ContainerDetailView> {
  const answer = await account.call(`${apiOf(node)}/containers/${id}`, { signal: abort });
  return ContainerDetailView.parse(await answer.json());
}
