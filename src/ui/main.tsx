/** Puts the page together: this is the only file that makes things and knows them all. */

import "./no-eval.ts"; // oxlint-disable-line import/no-unassigned-import -- it is there for what it does
import { effect } from "@preact/signals";
import { render } from "preact";
import { Account, codeOf } from "./account.ts";
import { Feed } from "./containers/feed.ts";
import { Opener } from "./containers/opener.ts";
import { Link } from "./link.ts";
import { Page } from "./page.tsx";
import { Tabs } from "./tabs.ts";

const code = codeOf(location.hash);
// Gone at once: a code in the address would stay in the history.
if (location.hash !== "") history.replaceState(null, "", location.pathname + location.search);

const account = new Account(localStorage);
const feed = new Feed(account);
const link = new Link(account);
const tabs = new Tabs(link);
const opener = new Opener(account);

effect(() => {
  if (account.state.value.state !== "in") return undefined;
  const stop = new AbortController();
  void feed.run(stop.signal);
  return () => {
    stop.abort();
    feed.list.value = undefined;
  };
});

addEventListener("storage", () => account.follow());
addEventListener("online", () => feed.retryNow());
addEventListener("beforeunload", (event) => {
  if (tabs.live) event.preventDefault();
});
addEventListener("pagehide", () => void link.close());

const place = document.getElementById("page");
if (place) render(<Page account={account} feed={feed} link={link} opener={opener} tabs={tabs} code={code} />, place);
