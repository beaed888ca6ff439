/** The cells of a row that change every second, and what stands above them. */

import { useComputed } from "@preact/signals";
import { roundSize } from "../../lib/size.ts";
import type { Feed } from "../feed.ts";
import type { Placed } from "./containers.ts";
import { lateSince, type Usages, usageOf } from "./usages.ts";

export function UsageHeadings() {
  return (
    <>
      <th scope="col" class="usage">
        CPU
      </th>
      <th scope="col" class="usage">
        Memory
      </th>
    </>
  );
}

/** Drawn again only when its own figures are others: there may be thousands of rows. */
export function UsageCells({ container, usages }: { container: Placed; usages: Feed<Usages> }) {
  const { node, id } = container;
  const used = useComputed(() => usageOf(usages.list.value, { id, ...(node !== undefined && { node }) })).value;
  const look = useComputed(() => (lateSince(usages.list.value, node) === undefined ? "usage" : "usage late")).value;
  return (
    <>
      <td class={look} data-label="CPU">
        {used && `${used.cpu.toFixed(1)}%`}
      </td>
      <td class={look} data-label="Memory" title={used && `of ${roundSize(used.memory.limit, 1024)}`}>
        {used && roundSize(used.memory.used, 1024)}
      </td>
    </>
  );
}
