/** A terminal's tab: the screen, what runs in it, and how it ended. */

import { useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { focusTab } from "../tab-strip.tsx";
import type { TerminalTab } from "../tabs.ts";
import { TerminalBar } from "./bar.tsx";
import { commandLine, isShell, SHELL } from "./command-line.ts";
import { Screen } from "./screen.ts";
import type { ShellRequest } from "./shell.ts";

export interface TerminalViewProps {
  tab: TerminalTab;
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

  useEffect(() => {
    const made = new Screen({
      input: (bytes) => shell.input(bytes),
      resize: (size) => shell.resize(size),
      title: (text) => (title.value = text),
      leave: () => focusTab(tab.id),
    });
    screen.current = made;
    if (place.current) made.mount(place.current);
    if (!tab.asks) run({ command: [...SHELL], user: "" });
    return () => made.dispose();
  }, [tab]);

  // Before anything can be typed: a key must not go to the tab's button.
  useLayoutEffect(() => {
    if (shown && shell.live) screen.current?.focus();
  }, [entered]);

  const { command } = shell.request.value;
  return (
    <div class="terminal">
      <div class="toolbar">
        <strong>{tab.container.name}</strong>
        {command.length > 0 && <code>{isShell(command) ? "shell" : commandLine(command)}</code>}
        <span class="quiet title">{title.value}</span>
        <span class="quiet keys">Ctrl+Shift+C copies, Ctrl+Shift+V pastes, Ctrl+Shift+↑ leaves the terminal</span>
      </div>
      <div class="screen" ref={place} />
      <TerminalBar shell={shell} run={run} />
    </div>
  );
}
