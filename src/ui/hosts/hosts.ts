/** The hosts of a fleet as the page shows them: how they are, and how they were in the last minutes. */

import { patched } from "../../lib/merge-patch.ts";
import { NodeChanges, NodeView } from "../../protocol/node.ts";
import type { Source } from "../source.ts";

/** Milliseconds that the charts look back. */
export const WINDOW = 10 * 60_000;

/** What one report said, in 0 to 100 and in bytes per second. */
export interface Sample {
  /** Milliseconds since 1970, by the server's clock. */
  time: number;
  cpu: number;
  memory: number;
  disk?: number;
  received?: number;
  sent?: number;
  /** Of each. */
  gpus: (number | undefined)[];
}

export interface Host {
  node: NodeView;
  /** The oldest first. */
  samples: readonly Sample[];
}

export const HOSTS: Source<Host[]> = {
  path: "/api/v1/nodes?watch=1",
  reader: (before = []) => {
    const pasts = new Map(before.map(({ node, samples }) => [node.uid, samples]));
    const hosts = new Map<string, Host>();
    return (line) => {
      for (const [name, patch] of Object.entries(NodeChanges.parse(line).nodes)) {
        const known = hosts.get(name);
        if (patch === null) hosts.delete(name);
        else hosts.set(name, hostOf(NodeView.parse(patched(known?.node, patch)), known, pasts));
      }
      return [...hosts.values()].toSorted((a, b) => (a.node.name < b.node.name ? -1 : 1));
    };
  },
};

/** One that was added anew under its name has another past. */
function hostOf(node: NodeView, known: Host | undefined, pasts: ReadonlyMap<string, readonly Sample[]>): Host {
  const past = known?.node.uid === node.uid ? known.samples : pasts.get(node.uid);
  return { node, samples: grown(past ?? [], node) };
}

/** With the last report at the end, unless it is there, and without what is too old. */
function grown(samples: readonly Sample[], { lastSeen, beat }: NodeView): readonly Sample[] {
  if (lastSeen === undefined || !beat || samples.at(-1)?.time === lastSeen) return samples;
  const { cpuUsage, memoryTotal, memoryFree, diskTotal, diskFree, received, sent, gpus = [] } = beat;
  const sample: Sample = {
    time: lastSeen,
    cpu: cpuUsage,
    memory: share(memoryTotal, memoryFree),
    ...(diskTotal !== undefined && diskFree !== undefined && { disk: share(diskTotal, diskFree) }),
    ...(received !== undefined && { received }),
    ...(sent !== undefined && { sent }),
    gpus: gpus.map(({ usage }) => usage),
  };
  return [...samples.filter(({ time }) => time > lastSeen - WINDOW), sample];
}

function share(total: number, free: number): number {
  return total > 0 ? (100 * (total - free)) / total : 0;
}
