/** The list of containers: what runs on the host now, and one click to a terminal or a log. */

import { type Signal, useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { age } from "../../lib/age.ts";
import type { HostShell } from "../account.ts";
import type { Feed } from "../feed.ts";
import { FeedNote } from "../feed-note.tsx";
import { Filter } from "../filter.tsx";
import { More, useDrawn } from "../growing.tsx";
import { Headings } from "../headings.tsx";
import { Problem } from "../problem.tsx";
import type { Tabs } from "../tabs.ts";
import type { Shown } from "./containers.ts";
import { byHost, firstRows, type Group, matches, rowsOf } from "./groups.ts";
import type { Opener } from "./opener.ts";
import type { Orders } from "./orders.ts";
import { Row, type RowContext } from "./row.tsx";
import { UsageHeadings } from "./usage-cells.tsx";
import { lateSince, type Usages } from "./usages.ts";

const NOTHING: Shown = { fleet: false, hosts: [] };

/** Milliseconds between two looks at the clock for the ages. */
const TICK = 5_000;
/** Rows that are drawn at first, and more at a time. */
const STEP = 200;
/** Without what they use. */
const COLUMNS = 6;

export interface ListProps {
  feed: Feed<Shown>;
  tabs: Tabs;
  opener: Opener;
  orders: Orders;
  /** Where they are measured. */
  usages: Feed<Usages> | undefined;
  /** On the agent's own host. */
  shell: HostShell | undefined;
}

export function ContainerList({ feed, tabs, opener, orders, usages, shell }: ListProps) {
  const filter = useSignal("");
  const now = useSignal(Date.now());
  const host = useSignal("");
  const total = useComputed(() =>
    (feed.list.value ?? NOTHING).hosts.reduce((sum, each) => sum + each.containers.length, 0),
  );
  const groups = useComputed(() => {
    const { fleet, hosts } = feed.list.value ?? NOTHING;
    const chosen = hosts.filter(({ node }) => node === host.value);
    const wanted = chosen.length > 0 ? chosen : hosts;
    return byHost({ fleet, hosts: wanted }, (container) => matches(container, filter.value));
  });
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), TICK);
    return () => clearInterval(timer);
  }, [now]);

  const drawn = useDrawn(STEP, `${host.value} ${filter.value}`);
  const context = { tabs, opener, orders, usages, now: Math.max(now.value, Date.now() - TICK) };
  return (
    <div class="list">
      <div class="toolbar">
        <Filter typed={filter} label="Filter containers" />
        {feed.list.value?.fleet && <HostChoice hosts={feed.list.value.hosts} host={host} />}
        <FeedNote feed={feed} />
        {shell && <ShellButton shell={shell} tabs={tabs} />}
        <Problem words={opener.problem} />
        <Problem words={orders.problem} />
      </div>
      {groups.value.length > 0 ? (
        <table class="containers">
          <Headings names={["Name", "State", "Image", "Ports", "Age"]} buttons>
            {usages && <UsageHeadings />}
          </Headings>
          {firstRows(groups.value, drawn.value).map((group) => (
            <GroupRows key={`${group.node} ${group.project}`} group={group} context={context} />
          ))}
        </table>
      ) : (
        feed.list.value && <Nothing filter={filter.value} total={total.value} fleet={feed.list.value.fleet} />
      )}
      <More left={rowsOf(groups.value) - drawn.value} step={STEP} drawn={drawn} />
    </div>
  );
}

function ShellButton({ shell, tabs }: { shell: HostShell; tabs: Tabs }) {
  return (
    <button title={`As ${shell.user}`} disabled={tabs.full.value} onClick={() => tabs.shell(shell)}>
      Shell on {shell.name}
    </button>
  );
}

function GroupRows({ group, context }: { group: Group; context: RowContext }) {
  const count = group.containers.length + (group.left ?? 0);
  return (
    <tbody>
      <tr class="group">
        <th colSpan={context.usages ? COLUMNS + 2 : COLUMNS} scope="rowgroup">
          {heading(group)}{" "}
          {count > 0 && <span class="quiet">{count === 1 ? "1 container" : `${count} containers`}</span>}
          {group.problem && <span class="quiet broken">{group.problem.detail}</span>}
          {context.usages && count > 0 && <Late node={group.node} usages={context.usages} now={context.now} />}
        </th>
      </tr>
      {group.containers.map((container) => (
        <Row key={container.id} container={container} context={context} />
      ))}
    </tbody>
  );
}

/** That the figures are old, because the host has missed reports. */
function Late({ node, usages, now }: { node: string | undefined; usages: Feed<Usages>; now: number }) {
  const since = useComputed(() => lateSince(usages.list.value, node)).value;
  return since === undefined ? null : <span class="quiet">CPU and memory as of {age(now - since)} ago</span>;
}

function heading({ node, project }: Group): string {
  if (node === undefined) return project ?? "No project";
  return project === undefined ? node : `${node} · ${project}`;
}

function HostChoice({ hosts, host }: { hosts: Shown["hosts"]; host: Signal<string> }) {
  return (
    <select aria-label="Host" value={host.value} onChange={(event) => (host.value = event.currentTarget.value)}>
      <option value="">All hosts</option>
      {hosts.map(({ node }) => (
        <option key={node}>{node}</option>
      ))}
    </select>
  );
}

function Nothing({ filter, total, fleet }: { filter: string; total: number; fleet: boolean }) {
  if (total > 0)
    return (
      <p class="nothing">
        {filter.trim() === ""
          ? "There is none on this host."
          : `None of the ${total} containers matches “${filter.trim()}”.`}
      </p>
    );
  if (fleet) return <p class="nothing">There is no container on any host yet.</p>;
  return <p class="nothing">There is no container on this host yet. Start one, and it appears here by itself.</p>;
}
