/** Which containers the list shows, and under which heading. */

import type { Problem } from "../../protocol/errors.ts";
import { mentions } from "../words.ts";
import { type Placed, placed, type Shown } from "./containers.ts";

export interface Group {
  /** Its host; absent on an agent's own page. */
  node?: string;
  /** The Compose project; absent for containers that belong to none. */
  project?: string;
  containers: Placed[];
  /** More of its containers that are not drawn. */
  left?: number;
  /** Why the host's containers may be others by now. */
  problem?: Problem | undefined;
}

/** The groups of each host, by name; one that cannot be asked is told even where nothing is known of it. */
export function byHost({ fleet, hosts }: Shown, keep: (container: Placed) => boolean): Group[] {
  return hosts
    .toSorted((a, b) => byName(a.node, b.node))
    .flatMap((host) => {
      const { node, problem } = host;
      const groups = grouped(placed({ fleet, hosts: [host] }).filter(keep));
      if (!fleet) return groups;
      if (groups.length === 0) return problem ? [{ node, problem, containers: [] }] : [];
      return groups.map((group) => ({ node, problem, ...group }));
    });
}

/** The first rows of them: each container is one, and so is a group without any. */
export function firstRows(groups: readonly Group[], most: number): Group[] {
  const found: Group[] = [];
  let room = most;
  for (const group of groups) {
    if (room <= 0) break;
    const { length } = group.containers;
    const whole = length <= room;
    found.push(whole ? group : { ...group, containers: group.containers.slice(0, room), left: length - room });
    room -= Math.max(1, length);
  }
  return found;
}

export function rowsOf(groups: readonly Group[]): number {
  return groups.reduce((sum, { containers }) => sum + Math.max(1, containers.length), 0);
}

/** Every word must occur somewhere in what the row says. */
export function matches(container: Placed, filter: string): boolean {
  const { name, image, id, state, status, project = "", service = "", node = "" } = container;
  return mentions([name, image, id, state, status, project, service, node], filter);
}

/** Projects by name, then what belongs to none; running before stopped, then by name. */
export function grouped(containers: readonly Placed[]): Group[] {
  const names = new Set(containers.flatMap(({ project }) => project ?? []));
  const members = (of: string | undefined) => sorted(containers.filter(({ project }) => project === of));
  const groups: Group[] = [...names].sort(byName).map((project) => ({ project, containers: members(project) }));
  const loose = members(undefined);
  return loose.length > 0 ? [...groups, { containers: loose }] : groups;
}

function sorted(containers: Placed[]): Placed[] {
  const rank = (container: Placed) => (container.state === "running" ? 0 : 1);
  return [...containers].sort((a, b) => rank(a) - rank(b) || byName(a.name, b.name));
}

/** `web-2` comes before `web-10`. One for all comparisons: making it is what costs. */
const NAMES = new Intl.Collator(undefined, { numeric: true });

function byName(a: string, b: string): number {
  return NAMES.compare(a, b);
}
