/** A terminal's tab: the screen, what runs in it, and how it ended. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { focusTab } from "../tab-strip.tsx";
import type { ScreenTab } from "../tab.ts";
import { TerminalBar } from "./bar.tsx";
import { SHELL } from "./command-line.ts";
import { Heading } from "./heading.tsx";
import { Screen } from "./screen.ts";
import type { ShellRequest } from "./start.ts";

export interface TerminalViewProps {
  tab: ScreenTab;
  shown: boolean;
  entered: number;
}

/** `entered` changes when the user goes into a tab: the one that is shown then. */
export function TerminalView({ tab, shown, entered }: TerminalViewProps) {
  const place = useRef<HTMLDivElement>(null);
  const screen = useRef<Screen | undefined>(undefined);
  const title = useSignal("");
  const { shell } = tab;

  const run = (request: ShellRequest) => {
    if (!screen.current) return;
    title.value = "";
    screen.current.reset();
    screen.current.focus();
    void shell.run(request, screen.current);
  };
  const say = (line: string) => {
    const bytes = new TextEncoder().encode(`${line}\n`);
    shell.input(bytes);
    void screen.current?.write(bytes);
  };

  useEffect(() => {
    const made = new Screen({
      input: (bytes) => shell.input(bytes),
      resize: (size) => shell.resize(size),
      title: (text) => (title.value = text),
      leave: () => focusTab(tab.id),
    });
    screen.current = made;
    if (place.current) made.mount(place.current);
    if (tab.kind !== "terminal") run({ command: [], user: "" });
    else if (!tab.asks) run({ command: [...SHELL], user: "" });
    return () => made.dispose();
  }, [tab]);

  // Before anything can be typed: a key must not go to the tab's button.
  useLayoutEffect(() => {
    if (shown && shell.live) screen.current?.focus();
  }, [entered]);

  return (
    <div class="terminal">
      <Heading tab={tab} title={title.value} />
      <div class="screen" ref={place} />
      <TerminalBar tab={tab} run={run} say={say} />
    </div>
  );
}
