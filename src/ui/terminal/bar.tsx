/** The bar under a terminal: that it is starting, how it ended, and the way on. */

import type { ScreenTab } from "../tab.ts";
import { CommandForm } from "./command-form.tsx";
import { LineForm } from "./line-form.tsx";
import type { ShellState } from "./shell.ts";
import type { ShellRequest } from "./start.ts";

export interface BarProps {
  tab: ScreenTab;
  run: (request: ShellRequest) => void;
  /** Sends a line to a process without a terminal. */
  say: (line: string) => void;
}

const WORDS = {
  terminal: { opening: "Starting …", refused: "Not started", ended: "Ended with exit code" },
  host: { opening: "Starting …", refused: "Not started", ended: "Ended with exit code" },
  attach: { opening: "Attaching …", refused: "Not attached", ended: "The container stopped with exit code" },
} as const;

export function TerminalBar({ tab, run, say }: BarProps) {
  const { shell } = tab;
  const state = shell.state.value;
  if (shell.refused.value) {
    return (
      <p class="bar broken" role="alert">
        That paste was not sent: more than 8 MiB would wait for the agent.
      </p>
    );
  }
  if (state.state === "running") return state.stdin && !state.tty ? <LineForm say={say} /> : null;
  if (state.state === "opening") {
    return (
      <p class="bar" role="status">
        {WORDS[tab.kind].opening}
      </p>
    );
  }
  const last = shell.request.peek();
  return (
    <div class={state.state === "failed" ? "bar broken" : "bar"}>
      {state.state !== "idle" && <p role="status">{sentence(state, tab.kind)}</p>}
      {tab.kind === "terminal" ? (
        <CommandForm key={state.state} last={last} label={label(state)} run={run} />
      ) : (
        <button onClick={() => run(last)}>{tab.kind === "host" ? "New shell" : "Attach again"}</button>
      )}
    </div>
  );
}

/** What is over. */
type Outcome = Extract<ShellState, { state: "ended" | "left" | "failed" }>;

function sentence(state: Outcome, kind: keyof typeof WORDS): string {
  const words = WORDS[kind];
  if (state.state === "left") return "Detached. The container goes on.";
  if (state.state === "failed") return `${state.ran ? "Broken off" : words.refused}: ${state.error.message}`;
  if ("unknown" in state.status) return `Ended; the exit code is not known: ${state.status.unknown}`;
  return `${words.ended} ${state.status.code}.`;
}

/** What was broken off may be half done: the words say that it starts from the beginning. */
function label(state: Outcome | { state: "idle" }): string {
  if (state.state === "idle") return "Run";
  return state.state === "failed" && state.ran ? "Start anew" : "Run again";
}
