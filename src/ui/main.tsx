/** Puts the page together: this is the only file that makes things and knows them all. */

import "./no-eval.ts"; // oxlint-disable-line import/no-unassigned-import -- it is there for what it does
import { computed, effect, signal } from "@preact/signals";
import { render } from "preact";
import { Account, codeOf } from "./account.ts";
import { CONTAINERS } from "./containers/containers.ts";
import { Opener } from "./containers/opener.ts";
import { Orders } from "./containers/orders.ts";
import { isMeasured, USAGES } from "./containers/usages.ts";
import { Feed } from "./feed.ts";
import { HOSTS } from "./hosts/hosts.ts";
import { Link } from "./link.ts";
import { Page } from "./page.tsx";
import { AUDIT_TAB, EVENTS_TAB, HOSTS_TAB, LIST, Tabs, TOKENS_TAB } from "./tabs.ts";

const code = codeOf(location.hash, "code") ?? "";
/** Of the login that waits to be approved. */
const approving = signal<string | undefined>(undefined);
const readAddress = () => {
  approving.value = codeOf(location.hash, "approve");
  // Gone at once: a code in the address would stay in the history.
  if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);
};
readAddress();

const account = new Account(localStorage);
const feed = new Feed(account, CONTAINERS);
const hosts = new Feed(account, HOSTS);
const usages = new Feed(account, USAGES);
const link = new Link(account);
const tabs = new Tabs(link, account);
const opener = new Opener(account);
const orders = new Orders(account);

effect(() => {
  if (account.state.value.state !== "in") return undefined;
  const stop = new AbortController();
  void feed.run(stop.signal);
  return () => stop.abort();
});

const fleet = computed(() => feed.list.value?.fleet === true);
const admin = computed(() => account.person.value?.admin === true);
effect(() => {
  const more = admin.value ? [AUDIT_TAB, TOKENS_TAB] : [];
  const fixed = fleet.value ? [HOSTS_TAB, LIST, EVENTS_TAB, ...more] : [LIST];
  tabs.fixed.value = fixed;
  // Whoever signs in after somebody else may have fewer.
  const shown = tabs.shown.peek();
  if (account.person.value && shown <= LIST && !fixed.includes(shown)) tabs.shown.value = LIST;
});
effect(() => {
  if (!fleet.value) return undefined;
  const stop = new AbortController();
  void hosts.run(stop.signal);
  return () => stop.abort();
});

// After each connection, because another agent may allow something else. Without an answer the page offers less.
const connected = computed(() => feed.state.value.state === "live");
effect(() => {
  if (connected.value && account.state.value.state === "in") account.meet().catch(() => {});
});

// Only while somebody can see it: a browser has few connections for all its tabs.
const visible = signal(!document.hidden);
addEventListener("visibilitychange", () => (visible.value = !document.hidden));
const measuring = computed(() => visible.value && tabs.shown.value === LIST && isMeasured(feed.list.value));
effect(() => {
  if (!measuring.value) return undefined;
  const stop = new AbortController();
  void usages.run(stop.signal);
  return () => stop.abort();
});

addEventListener("hashchange", readAddress);
addEventListener("storage", () => account.follow());
addEventListener("online", () => {
  feed.retryNow();
  hosts.retryNow();
});
addEventListener("beforeunload", (event) => {
  if (tabs.live) event.preventDefault();
});
addEventListener("pagehide", () => void link.close());

const place = document.getElementById("page");
const parts = { account, approving, code, feed, hosts, link, opener, orders, tabs, usages };
if (place) render(<Page {...parts} />, place);
