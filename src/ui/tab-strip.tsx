/** The strip of tabs: the list first, then what is open; arrow keys move, Delete closes. */

import { useEffect, useRef } from "preact/hooks";
import { isLive, placeOf, type Tab } from "./tab.ts";
import { AUDIT_TAB, EVENTS_TAB, HOSTS_TAB, LIST, type Tabs, TOKENS_TAB } from "./tabs.ts";

const FIXED: Record<number, string> = {
  [HOSTS_TAB]: "Hosts",
  [LIST]: "Containers",
  [EVENTS_TAB]: "Events",
  [AUDIT_TAB]: "Audit",
  [TOKENS_TAB]: "Tokens",
};
const KINDS = { terminal: "Terminal", attach: "Attached", host: "Shell", log: "Log", details: "Details" } as const;

export function TabStrip({ tabs }: { tabs: Tabs }) {
  const strip = useRef<HTMLDivElement>(null);
  const shown = tabs.shown.value;
  useEffect(
    () => strip.current?.querySelector('.tab.shown, [aria-selected="true"]')?.scrollIntoView({ block: "nearest" }),
    [shown],
  );

  // A closed tab takes the focus with it: the one that is shown instead gets it.
  const count = tabs.open.value.length;
  const before = useRef(count);
  useEffect(() => {
    if (count < before.current) focusTab(tabs.shown.peek());
    before.current = count;
  }, [count, tabs]);

  const move = (step: 1 | -1) => {
    tabs.move(step);
    // The tab that is shown takes the focus once it is drawn.
    requestAnimationFrame(() => focusTab(tabs.shown.peek()));
  };
  const press = (event: KeyboardEvent) => {
    if (event.key === "ArrowRight") move(1);
    else if (event.key === "ArrowLeft") move(-1);
    else if (event.key === "Delete") {
      const tab = tabs.open.peek().find(({ id }) => id === tabs.shown.peek());
      if (tab) tabs.requestClose(tab);
    } else return;
    event.preventDefault();
  };

  return (
    <div class="tabs" role="tablist" aria-label="Open views" ref={strip} onKeyDown={press}>
      {tabs.fixed.value.map((id) => (
        <TabButton key={id} id={id} shown={shown === id} show={() => tabs.enter(id)} text={FIXED[id] ?? ""} />
      ))}
      {tabs.open.value.map((tab) => (
        <OpenTab key={tab.id} tab={tab} tabs={tabs} shown={shown === tab.id} />
      ))}
    </div>
  );
}

/** Gives the keyboard to a tab's button, e.g. out of its terminal. */
export function focusTab(id: number): void {
  document.getElementById(`tab-${id}`)?.focus();
}

function OpenTab({ tab, tabs, shown }: { tab: Tab; tabs: Tabs; shown: boolean }) {
  const words = `${KINDS[tab.kind]}: ${placeOf(tab)}`;
  return (
    <span class={shown ? "tab shown" : "tab"} role="presentation">
      <TabButton
        id={tab.id}
        shown={shown}
        show={() => tabs.enter(tab.id)}
        text={words}
        ended={tab.kind !== "details" && !isLive(tab)}
      />
      <button
        class="close"
        tabIndex={-1}
        aria-label={`Close ${words}`}
        title="Close"
        onClick={() => tabs.requestClose(tab)}
      >
        ×
      </button>
    </span>
  );
}

interface TabButtonProps {
  id: number;
  shown: boolean;
  show: () => void;
  text: string;
  ended?: boolean;
}

function TabButton({ id, shown, show, text, ended = false }: TabButtonProps) {
  return (
    <button
      id={`tab-${id}`}
      class={ended ? "tab-name ended" : "tab-name"}
      role="tab"
      aria-selected={shown}
      aria-controls={`panel-${id}`}
      tabIndex={shown ? 0 : -1}
      onClick={show}
    >
      {text}
    </button>
  );
}
