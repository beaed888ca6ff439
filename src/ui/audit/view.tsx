/** Who did what, at the server or on a host, the newest first. */

import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type { Account } from "../account.ts";
import type { Feed } from "../feed.ts";
import { FeedNote } from "../feed-note.tsx";
import type { Host } from "../hosts/hosts.ts";
import { useFeed } from "../use-feed.ts";
import { recordsOf, SHOWN, type Wish } from "./records.ts";
import { AuditTable } from "./table.tsx";

const SINCE = { "": "Any time", "1h": "Last hour", "24h": "Last day", "168h": "Last week" };

export interface AuditViewProps {
  account: Account;
  hosts: Feed<Host[]>;
  shown: boolean;
}

export function AuditView({ account, hosts, shown }: AuditViewProps) {
  const wish = useSignal<Wish>({ node: "", since: "", subject: "", container: "" });
  const feed = useFeed({ account, source: recordsOf(wish.value), shown });
  const records = feed.list.value;
  const live = feed.state.value.state === "live";
  return (
    <div class="records">
      <div class="toolbar">
        <Choice wish={wish} part="node" label="Whose records">
          <option value="">This server</option>
          {hosts.list.value?.map(({ node: { name } }) => (
            <option key={name}>{name}</option>
          ))}
        </Choice>
        <Choice wish={wish} part="since" label="Since when">
          {Object.entries(SINCE).map(([value, words]) => (
            <option key={value} value={value}>
              {words}
            </option>
          ))}
        </Choice>
        <Field wish={wish} part="subject" label="Who" placeholder="Who, such as token:ci" />
        <Field wish={wish} part="container" label="Container" placeholder="Container" />
        <FeedNote feed={feed} />
        {records?.length === SHOWN && <span class="quiet">The last {SHOWN}; ctl audit has more.</span>}
      </div>
      {live && !records?.length && <p class="nothing">There is no such record.</p>}
      {records && records.length > 0 && <AuditTable records={records.toReversed()} />}
    </div>
  );
}

interface PartProps {
  wish: Signal<Wish>;
  part: keyof Wish;
  label: string;
}

function Choice({ wish, part, label, children }: PartProps & { children: ComponentChildren }) {
  const choose = (value: string) => (wish.value = { ...wish.peek(), [part]: value });
  return (
    <select aria-label={label} value={wish.value[part]} onChange={(event) => choose(event.currentTarget.value)}>
      {children}
    </select>
  );
}

/** Asks when it is left, or with the return key: not with each letter. */
function Field({ wish, part, label, placeholder }: PartProps & { placeholder: string }) {
  const ask = (value: string) => (wish.value = { ...wish.peek(), [part]: value.trim() });
  return (
    <input
      type="search"
      aria-label={label}
      placeholder={placeholder}
      maxLength={256}
      onChange={(event) => ask(event.currentTarget.value)}
      autocapitalize="off"
      spellcheck={false}
    />
  );
}
