/** The containers that the page shows: an agent's own, or those of every host of a fleet. */

import * as z from "zod/mini";
import { ContainerList, type ContainerView, FleetContainers, HostContainers } from "../../protocol/container.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Source } from "../source.ts";

export interface Shown {
  /** The page is a server's: each container is on a host that has to be named. */
  fleet: boolean;
  hosts: readonly HostContainers[];
}

/** A container and where it is; without a node it is on the agent's own host. */
export type Placed = ContainerView & { node?: string };

const Line = z.union([FleetContainers, ContainerList]);

export const CONTAINERS: Source<Shown> = {
  path: `${apiOf(undefined)}/containers?watch=1`,
  reader: (before) => {
    let hosts = before?.hosts ?? [];
    return (value) => {
      const line = Line.parse(value);
      if (!("nodes" in line)) return { fleet: false, hosts: [line] };
      const known = new Map([...hosts, ...line.changed].map((host) => [host.node, host]));
      hosts = line.nodes.flatMap((node) => known.get(node) ?? []);
      return { fleet: true, hosts };
    };
  },
};

export function placed({ fleet, hosts }: Shown): Placed[] {
  return hosts.flatMap(({ node, containers }) =>
    fleet ? containers.map((container) => ({ ...container, node })) : containers,
  );
}

/** As `ctl` names it: `web`, and in a fleet `box:web`. */
export function fullName({ node, name }: Pick<Placed, "node" | "name">): string {
  return node === undefined ? name : `${node}:${name}`;
}
