/** The line above a terminal: where it is, what runs in it, and what the keys do. */

import { roundSize } from "../../lib/size.ts";
import { Note } from "../note.tsx";
import { type AttachTab, placeOf, type ScreenTab, type TerminalTab } from "../tab.ts";
import { commandLine, isShell } from "./command-line.ts";

export interface HeadingProps {
  tab: ScreenTab;
  /** Set by the program. */
  title: string;
}

export function Heading({ tab, title }: HeadingProps) {
  return (
    <div class="toolbar">
      <strong>{placeOf(tab)}</strong>
      {tab.kind === "terminal" && <Command tab={tab} />}
      {tab.kind === "attach" && <Attached tab={tab} />}
      {tab.kind === "host" && <span>the host itself, as {tab.host.user}</span>}
      <span class="quiet title">{title}</span>
      <span class="quiet keys">Ctrl+Shift+C copies, Ctrl+Shift+V pastes, Ctrl+Shift+↑ leaves the terminal</span>
    </div>
  );
}

function Command({ tab }: { tab: TerminalTab }) {
  const { command } = tab.shell.request.value;
  if (command.length === 0) return null;
  return <code>{isShell(command) ? "shell" : commandLine(command)}</code>;
}

function Attached({ tab }: { tab: AttachTab }) {
  const state = tab.shell.state.value;
  const missing = tab.shell.missing.value;
  const running = state.state === "running";
  return (
    <>
      <code>main process</code>
      {tab.onlyLooks && <Note>Read-only: you may look, not type.</Note>}
      {!tab.onlyLooks && running && !state.stdin && <Note>Read-only: the container takes no input.</Note>}
      {missing > 0 && <Note look="broken">{roundSize(missing, 1024)} are missing: this page was too slow.</Note>}
      {running && <button onClick={() => tab.shell.leave()}>Detach</button>}
    </>
  );
}
