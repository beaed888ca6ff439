/** What the containers of the list use, from one answer for all of them. */

import { StatsList, type StatsView } from "../../protocol/stats.ts";
import { apiOf } from "../../protocol/version.ts";
import type { Source } from "../source.ts";
import { placed, type Shown } from "./containers.ts";
import { may } from "./wording.ts";

/** By the container's id; only of those that run. */
export type Usages = ReadonlyMap<string, StatsView>;

export const USAGES: Source<Usages> = {
  path: `${apiOf(undefined)}/stats?watch=1`,
  read: (line) => new Map(StatsList.parse(line).stats.map((stats) => [stats.id, stats])),
};

/** There is such an answer on an agent's own page, for who may inspect anything. */
export function isMeasured(shown: Shown | undefined): boolean {
  return shown !== undefined && !shown.fleet && placed(shown).some((container) => may(container, "inspect"));
}
