/** A container's own tab: what it is, what it uses, and what can be done with it. */

import { useComputed } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Account } from "../account.ts";
import { Actions } from "../containers/actions.tsx";
import { placed, type Shown } from "../containers/containers.ts";
import type { Opener } from "../containers/opener.ts";
import { type Orders, UNDER_WAY } from "../containers/orders.ts";
import { PortList } from "../containers/port-list.tsx";
import type { Feed } from "../feed.ts";
import { FeedNote } from "../feed-note.tsx";
import { Problem } from "../problem.tsx";
import { type DetailsTab, isSame } from "../tab.ts";
import type { Tabs } from "../tabs.ts";
import { UsageCharts } from "./charts.tsx";
import { Facts } from "./facts.tsx";
import { useInspection } from "./inspection.ts";

export interface DetailsParts {
  account: Account;
  feed: Feed<Shown>;
  opener: Opener;
  orders: Orders;
  tabs: Tabs;
}

export interface DetailsProps {
  tab: DetailsTab;
  shown: boolean;
  parts: DetailsParts;
}

export function DetailsView({ tab, shown, parts }: DetailsProps) {
  const { account, feed, opener, orders, tabs } = parts;
  const row = useComputed(() => feed.list.value && placed(feed.list.value).find((each) => isSame(each, tab.container)));
  const container = row.value;
  const { detail, problem } = useInspection(account, shown ? container : undefined).value;
  const running = shown && container?.state === "running";
  useEffect(() => {
    if (!running) return undefined;
    const stop = new AbortController();
    void tab.usage.run(stop.signal);
    return () => stop.abort();
  }, [running, tab]);

  const order = container && orders.underWay.value.get(container.id);
  const gone = feed.list.value !== undefined && !container;
  return (
    <div class="details">
      <div class="toolbar">
        <strong>{tab.container.name}</strong>
        {container && (
          <span class="actions">
            <Actions container={container} tabs={tabs} orders={orders} />
          </span>
        )}
        {order && <em>{UNDER_WAY[order]}</em>}
        <FeedNote feed={feed} />
        <Problem words={opener.problem} />
        <Problem words={orders.problem} />
      </div>
      {gone && <p class="nothing">This container is not there any more.</p>}
      {problem !== undefined && !gone && <p class="nothing broken">{problem}</p>}
      {container && container.ports.length > 0 && (
        <p>
          Ports: <PortList container={container} opener={opener} />
        </p>
      )}
      {running && <UsageCharts usage={tab.usage} />}
      {detail && <Facts detail={detail} />}
    </div>
  );
}
