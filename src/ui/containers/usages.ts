/** What the containers of the list use, from one answer for all of them. */

import * as z from "zod/mini";
import { patched } from "../../lib/merge-patch.ts";
import { FleetUsages, HostUsages, StatsList, type StatsView } from "../../protocol/stats.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Source } from "../source.ts";
import type { Placed, Shown } from "./containers.ts";
import { may } from "./wording.ts";

/** By the host's name and the container's id; only of those that run. On an agent's own page its host has no name. */
export type Usages = ReadonlyMap<string | undefined, Used>;

export type Used = Pick<HostUsages, "containers"> & Partial<HostUsages>;

const Line = z.union([FleetUsages, StatsList]);

export const USAGES: Source<Usages> = {
  path: `${apiOf(undefined)}/stats?watch=1`,
  reader: () => {
    const hosts = new Map<string | undefined, Used>();
    return (value) => {
      const line = Line.parse(value);
      if ("stats" in line)
        return new Map([[undefined, { containers: Object.fromEntries(line.stats.map((stats) => [stats.id, stats])) }]]);
      for (const [name, patch] of Object.entries(line.hosts)) {
        if (patch === null) hosts.delete(name);
        else hosts.set(name, HostUsages.parse(patched(hosts.get(name), patch)));
      }
      return new Map(hosts);
    };
  },
};

export function usageOf(usages: Usages | undefined, { node, id }: Pick<Placed, "node" | "id">): StatsView | undefined {
  return usages?.get(node)?.containers[id];
}

/** When a host reported that has missed reports since. */
export function lateSince(usages: Usages | undefined, node: string | undefined): number | undefined {
  const used = usages?.get(node);
  return used?.late === true ? used.time : undefined;
}

/** There is such an answer for who may inspect anything. */
export function isMeasured(shown: Shown | undefined): boolean {
  return shown?.hosts.some(({ containers }) => containers.some((container) => may(container, "inspect"))) === true;
}
