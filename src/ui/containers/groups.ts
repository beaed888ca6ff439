/** Which containers the list shows, and under which heading. */

import type { ContainerView } from "../../protocol/container.ts";

export interface Group {
  /** The Compose project; absent for containers that belong to none. */
  project?: string;
  containers: ContainerView[];
}

/** Every word must occur somewhere in what the row says, whatever the case. */
export function matches(container: ContainerView, filter: string): boolean {
  const { name, image, id, state, status, project = "", service = "" } = container;
  const haystack = [name, image, id, state, status, project, service].join("\n").toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .every((word) => haystack.includes(word));
}

/** Projects by name, then what belongs to none; running before stopped, then by name. */
export function grouped(containers: readonly ContainerView[]): Group[] {
  const names = new Set(containers.flatMap(({ project }) => project ?? []));
  const members = (of: string | undefined) => sorted(containers.filter(({ project }) => project === of));
  const groups: Group[] = [...names].sort(byName).map((project) => ({ project, containers: members(project) }));
  const loose = members(undefined);
  return loose.length > 0 ? [...groups, { containers: loose }] : groups;
}

function sorted(containers: ContainerView[]): ContainerView[] {
  const rank = (container: ContainerView) => (container.state === "running" ? 0 : 1);
  return [...containers].sort((a, b) => rank(a) - rank(b) || byName(a.name, b.name));
}

/** `web-2` comes before `web-10`. */
function byName(a: string, b: string): number {
  return a.localeCompare(b, undefined, { numeric: true });
}
