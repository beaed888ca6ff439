/** The hosts of a fleet, one card each, and the way to one more. */

import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { NodeView } from "../../protocol/node.ts";
import type { Account } from "../account.ts";
import type { Feed } from "../feed.ts";
import { FeedNote } from "../feed-note.tsx";
import { Filter } from "../filter.tsx";
import { More, useDrawn } from "../growing.tsx";
import type { Tabs } from "../tabs.ts";
import { mentions } from "../words.ts";
import { Actions } from "./actions.tsx";
import { AddHost } from "./add.tsx";
import { HostCard, statusWords } from "./card.tsx";
import type { Host } from "./hosts.ts";

/** Milliseconds between two looks at the clock for the ages. */
const TICK = 5_000;
/** Cards that are drawn at first, and more at a time. */
const STEP = 60;

export interface HostsViewProps {
  account: Account;
  feed: Feed<Host[]>;
  tabs: Tabs;
  /** Asks for the code of a login that waits. */
  approve: () => void;
}

export function HostsView({ account, feed, tabs, approve }: HostsViewProps) {
  const adding = useSignal(false);
  const filter = useSignal("");
  const now = useSignal(Date.now());
  const admin = useComputed(() => account.person.value?.admin === true);
  useEffect(() => {
    const timer = setInterval(() => (now.value = Date.now()), TICK);
    return () => clearInterval(timer);
  }, [now]);
  const hosts = feed.list.value;
  const found = hosts?.filter(({ node }) => mentions(textsOf(node), filter.value));
  const drawn = useDrawn(STEP, filter.value);
  return (
    <div class="hosts">
      <div class="toolbar">
        {admin.value && (
          <>
            <button class="primary" onClick={() => (adding.value = true)}>
              New agent
            </button>
            <button onClick={approve}>Approve a login …</button>
          </>
        )}
        <Filter typed={filter} label="Filter hosts" />
        <FeedNote feed={feed} />
      </div>
      {hosts?.length === 0 && <p class="nothing">There is no host yet. Each needs an agent: New agent shows how.</p>}
      {hosts && hosts.length > 0 && found?.length === 0 && <p class="nothing">None of the hosts matches.</p>}
      <div class="cards">
        {found?.slice(0, drawn.value).map((host) => (
          <HostCard key={host.node.uid} host={host} now={Math.max(now.value, Date.now() - TICK)}>
            {account.person.value?.mayShell(host.node.name) && <ShellButton node={host.node} tabs={tabs} />}
            {admin.value && <Actions account={account} node={host.node} />}
          </HostCard>
        ))}
      </div>
      <More left={(found?.length ?? 0) - drawn.value} step={STEP} drawn={drawn} />
      {adding.value && <AddHost account={account} close={() => (adding.value = false)} />}
    </div>
  );
}

/** What a filter finds it by. */
function textsOf(node: NodeView): string[] {
  const { name, address = "", facts } = node;
  return [name, statusWords(node), address, facts?.hostname ?? "", facts?.engine ?? "", facts?.agentVersion ?? ""];
}

/** Nothing where the agent gives no shell. */
function ShellButton({ node: { name, facts }, tabs }: { node: NodeView; tabs: Tabs }) {
  const user = facts?.hostShell;
  if (user === undefined) return null;
  return (
    <button
      aria-label={`Shell on ${name}`}
      title={`As ${user}`}
      disabled={tabs.full.value}
      onClick={() => tabs.shell({ name, node: name, user })}
    >
      Shell
    </button>
  );
}
