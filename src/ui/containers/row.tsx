/** A container's row in the list. */

import { age } from "../../lib/age.ts";
import type { Feed } from "../feed.ts";
import type { Tabs } from "../tabs.ts";
import { Actions } from "./actions.tsx";
import { fullName, type Placed } from "./containers.ts";
import type { Opener } from "./opener.ts";
import { type Orders, UNDER_WAY } from "./orders.ts";
import { PortList } from "./port-list.tsx";
import { UsageCells } from "./usage-cells.tsx";
import type { Usages } from "./usages.ts";
import { image, may, status } from "./wording.ts";

export interface RowContext {
  tabs: Tabs;
  opener: Opener;
  orders: Orders;
  usages: Feed<Usages> | undefined;
  /** Milliseconds since 1970. */
  now: number;
}

export function Row({ container, context }: { container: Placed; context: RowContext }) {
  const order = context.orders.underWay.value.get(container.id);
  return (
    <tr class="container" data-name={fullName(container)}>
      <th scope="row" class="name" title={container.id}>
        {may(container, "inspect") ? (
          <button
            class="link"
            aria-label={`Details of ${fullName(container)}`}
            onClick={() => context.tabs.details(container)}
          >
            {container.name}
          </button>
        ) : (
          container.name
        )}
      </th>
      <td class="state" data-state={container.state}>
        <span class="word">{container.state}</span>{" "}
        {order ? <em>{UNDER_WAY[order]}</em> : <span class="quiet">{status(container)}</span>}
      </td>
      <td class="image" title={container.image}>
        {image(container.image)}
      </td>
      <td class="ports">
        <PortList container={container} opener={context.opener} />
      </td>
      <td class="age" title={new Date(container.created).toLocaleString()}>
        {age(context.now - container.created)}
      </td>
      {context.usages && <UsageCells container={container} usages={context.usages} />}
      <td class="actions">
        <Actions container={container} tabs={context.tabs} orders={context.orders} />
      </td>
    </tr>
  );
}
