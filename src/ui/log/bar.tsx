/** The bar above a log: what is shown, whether it goes on, and the way back to the end. */

import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Check } from "../check.tsx";
import { Note } from "../note.tsx";
import type { LogTab } from "../tab.ts";
import type { Follow } from "./follow.ts";

export interface LogBarProps {
  tab: LogTab;
  times: Signal<boolean>;
  toEnd: () => void;
}

export function LogBar({ tab, times, toEnd }: LogBarProps) {
  const { follow } = tab;
  return (
    <div class="toolbar">
      <strong>{tab.container.name}</strong>
      <input
        type="search"
        aria-label="Filter lines"
        placeholder="Only lines with …"
        onInput={(event) => follow.filter(event.currentTarget.value)}
      />
      <Check on={times}>Times</Check>
      <button onClick={() => follow.clear()}>Clear</button>
      <Status follow={follow} toEnd={toEnd} />
    </div>
  );
}

function Status({ follow, toEnd }: { follow: Follow; toEnd: () => void }) {
  const state = follow.state.value;
  const again = <button onClick={() => void follow.run()}>Follow again</button>;
  if (state.state === "opening") return <Note>Opening …</Note>;
  if (state.state === "ended") return <Note>The log has ended: the container does not run. {again}</Note>;
  if (state.state === "failed") {
    return (
      <Note look="broken">
        Broken off: {state.error.message} {again}
      </Note>
    );
  }
  if (follow.waiting) return <Note look="broken">Waiting for the connection</Note>;
  if (follow.paused.value) return <Paused follow={follow} toEnd={toEnd} />;
  return <Note look="live">Following</Note>;
}

function Paused({ follow, toEnd }: { follow: Follow; toEnd: () => void }) {
  const from = useSignal(follow.book.total);
  useEffect(() => void (from.value = follow.book.total), [from, follow]);
  const fresh = follow.revision.value && follow.book.total - from.value;
  return (
    <Note>
      Paused
      <button class="primary" onClick={toEnd}>
        {fresh > 0 ? <span aria-live="off">{`Follow (${fresh} new)`}</span> : "Follow"}
      </button>
    </Note>
  );
}
