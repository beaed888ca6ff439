/** The cells of a row that change every second. */

import { roundSize } from "../../lib/size.ts";
import type { Feed } from "../feed.ts";
import type { Usages } from "./usages.ts";

export function UsageCells({ id, usages }: { id: string; usages: Feed<Usages> }) {
  const stats = usages.list.value?.get(id);
  return (
    <>
      <td class="usage" data-label="CPU">
        {stats && `${stats.cpu.toFixed(1)}%`}
      </td>
      <td class="usage" data-label="Memory" title={stats && `of ${roundSize(stats.memory.limit, 1024)}`}>
        {stats && roundSize(stats.memory.used, 1024)}
      </td>
    </>
  );
}
