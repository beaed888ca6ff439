/** The bar under a terminal: what to run, that it is starting, how it ended, and the way to run it again. */

import { CommandForm } from "./command-form.tsx";
import type { Shell, ShellRequest, ShellState } from "./shell.ts";

export function TerminalBar({ shell, run }: { shell: Shell; run: (request: ShellRequest) => void }) {
  const state = shell.state.value;
  if (shell.refused.value) {
    return (
      <p class="bar broken" role="alert">
        That paste was not sent: more than 8 MiB would wait for the agent.
      </p>
    );
  }
  if (state.state === "running") return null;
  if (state.state === "opening") {
    return (
      <p class="bar" role="status">
        Starting …
      </p>
    );
  }
  return (
    <div class={state.state === "failed" ? "bar broken" : "bar"}>
      {state.state !== "idle" && <p role="status">{sentence(state)}</p>}
      <CommandForm key={state.state} last={shell.request.peek()} label={label(state)} run={run} />
    </div>
  );
}

/** A command that is over. */
type Outcome = Extract<ShellState, { state: "ended" | "failed" }>;

function sentence(state: Outcome): string {
  if (state.state === "failed") return `${state.ran ? "Broken off" : "Not started"}: ${state.error.message}`;
  if ("unknown" in state.status) return `Ended; the exit code is not known: ${state.status.unknown}`;
  return `Ended with exit code ${state.status.code}.`;
}

/** What was broken off may be half done: the words say that it starts from the beginning. */
function label(state: Outcome | { state: "idle" }): string {
  if (state.state === "idle") return "Run";
  return state.state === "failed" && state.ran ? "Start anew" : "Run again";
}
