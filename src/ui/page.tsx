/** The whole page: sign-in, or the tabs with the list, the terminals and the logs. */

import type { Signal } from "@preact/signals";
import type { Account } from "./account.ts";
import { Approval } from "./approval.tsx";
import { AuditView } from "./audit/view.tsx";
import { Confirm } from "./confirm.tsx";
import type { Shown } from "./containers/containers.ts";
import { ContainerList } from "./containers/list.tsx";
import type { Opener } from "./containers/opener.ts";
import { OrderDialog } from "./containers/order-dialog.tsx";
import type { Orders } from "./containers/orders.ts";
import { isMeasured, type Usages } from "./containers/usages.ts";
import { Countdown } from "./countdown.tsx";
import { type DetailsParts, DetailsView } from "./details/view.tsx";
import { EventsView } from "./events/view.tsx";
import type { Feed } from "./feed.ts";
import type { Host } from "./hosts/hosts.ts";
import { HostsView } from "./hosts/view.tsx";
import type { Link } from "./link.ts";
import { LogView } from "./log/view.tsx";
import { SignIn } from "./sign-in.tsx";
import { isLive, placeOf, type Tab } from "./tab.ts";
import { TabStrip } from "./tab-strip.tsx";
import { AUDIT_TAB, EVENTS_TAB, HOSTS_TAB, LIST, type Tabs, TOKENS_TAB } from "./tabs.ts";
import { TerminalView } from "./terminal/view.tsx";
import { TokensView } from "./tokens/view.tsx";

export interface PageProps {
  account: Account;
  feed: Feed<Shown>;
  /** Of a fleet. */
  hosts: Feed<Host[]>;
  link: Link;
  opener: Opener;
  orders: Orders;
  tabs: Tabs;
  usages: Feed<Usages>;
  /** From the link that opened the page. */
  code: string;
  /** The code of a login elsewhere that waits for a yes; empty while it is to be typed. */
  approving: Signal<string | undefined>;
}

/** Signing in again after the sign-in ended finds the tabs as they were: what they showed is not lost. */
export function Page(parts: PageProps) {
  const { account, approving, feed, link, opener, orders, tabs, code } = parts;
  const signIn = account.state.value;
  const signedIn = signIn.state === "in";
  const asking = tabs.asking.value;
  return (
    <>
      {!signedIn && <SignIn account={account} code={code} note={signIn.note} />}
      <div class="desk" hidden={!signedIn}>
        <header>
          <span class="brand">Fairlead</span>
          <TabStrip tabs={tabs} />
          <SignOut account={account} link={link} tabs={tabs} node={ownNode(feed.list.value)} />
        </header>
        <Connection link={link} tabs={tabs} />
        <main>
          {tabs.fixed.value.map((id) => (
            <FixedPanel key={id} id={id} shown={signedIn && tabs.shown.value === id} parts={parts} />
          ))}
          {tabs.open.value.map((tab) => (
            <Panel
              key={tab.id}
              tab={tab}
              shown={signedIn && tabs.shown.value === tab.id}
              entered={tabs.entered.value}
              parts={{ account, feed, opener, orders, tabs }}
            />
          ))}
        </main>
      </div>
      {signedIn && approving.value !== undefined && (
        <Approval
          key={approving.value}
          account={account}
          code={approving.value}
          close={() => (approving.value = undefined)}
        />
      )}
      {asking && (
        <Confirm
          question={`End the ${asking.kind === "host" ? "shell on" : "terminal in"} ${placeOf(asking)}?`}
          detail="What runs in it is ended too."
          yes="End it"
          onYes={() => tabs.close(asking)}
          onNo={() => (tabs.asking.value = undefined)}
        />
      )}
      {signedIn && <OrderDialog orders={orders} />}
    </>
  );
}

interface FixedPanelProps {
  id: number;
  shown: boolean;
  parts: PageProps;
}

/** Of those that never close. */
function FixedPanel({ id, shown, parts }: FixedPanelProps) {
  const { account, approving, feed, hosts, opener, orders, tabs, usages } = parts;
  const measured = isMeasured(feed.list.value) ? usages : undefined;
  const shell = account.person.value?.shell;
  return (
    <section id={`panel-${id}`} role="tabpanel" aria-labelledby={`tab-${id}`} hidden={!shown}>
      {id === LIST && (
        <ContainerList feed={feed} tabs={tabs} opener={opener} orders={orders} usages={measured} shell={shell} />
      )}
      {id === HOSTS_TAB && (
        <HostsView account={account} feed={hosts} tabs={tabs} approve={() => (approving.value = "")} />
      )}
      {id === EVENTS_TAB && <EventsView account={account} shown={shown} />}
      {id === AUDIT_TAB && <AuditView account={account} hosts={hosts} shown={shown} />}
      {id === TOKENS_TAB && <TokensView account={account} shown={shown} />}
    </section>
  );
}

interface PanelProps {
  tab: Tab;
  shown: boolean;
  entered: number;
  parts: DetailsParts;
}

function Panel({ tab, shown, entered, parts }: PanelProps) {
  return (
    <section id={`panel-${tab.id}`} role="tabpanel" aria-labelledby={`tab-${tab.id}`} hidden={!shown}>
      {tab.kind === "log" && <LogView tab={tab} />}
      {tab.kind === "details" && <DetailsView tab={tab} shown={shown} parts={parts} />}
      {tab.kind !== "log" && tab.kind !== "details" && <TerminalView tab={tab} shown={shown} entered={entered} />}
    </section>
  );
}

/** Says that sessions wait for the connection. The list has its own connection and its own words. */
function Connection({ link, tabs }: { link: Link; tabs: Tabs }) {
  const view = link.view.value;
  if (view.state === "fine" || !tabs.open.value.some(isLive)) return null;
  if (view.state === "leaving")
    return (
      <p class="connection" role="status">
        The agent{view.node !== undefined && ` of ${view.node}`} is shutting down. What is open{" "}
        {view.node === undefined ? "here" : "there"} ends with it <Countdown until={view.until} />.
      </p>
    );
  return (
    <p class="connection" role="status">
      The connection{view.node !== undefined && ` to ${view.node}`} is lost. Terminals{" "}
      {view.node === undefined ? "go on" : "there go on"} for a minute and lose nothing if it is back by then. Attempt{" "}
      {view.attempt} <Countdown until={view.until} />.
    </p>
  );
}

interface SignOutProps {
  account: Account;
  link: Link;
  tabs: Tabs;
  node: string | undefined;
}

function SignOut({ account, link, tabs, node }: SignOutProps) {
  const leave = async () => {
    if (tabs.live && !confirm("Sign out? The open terminals are ended.")) return;
    tabs.closeAll();
    await link.close();
    await account.signOut();
  };
  return (
    <span class="who">
      {node !== undefined && <span class="quiet">{node}</span>}
      <button onClick={leave}>Sign out</button>
    </span>
  );
}

/** The agent's own, on its page. */
function ownNode(shown: Shown | undefined): string | undefined {
  return shown?.fleet ? undefined : shown?.hosts[0]?.node;
}
