/** The bar under a terminal: what to run, that it is starting, how it ended, and the way to run it again. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { failure } from "../failure.ts";
import { commandLine, SHELL, words } from "./command-line.ts";
import type { Shell, ShellRequest, ShellState } from "./shell.ts";

export function Ending({ shell, run }: { shell: Shell; run: (request: ShellRequest) => void }) {
  const state = shell.state.value;
  if (shell.refused.value) {
    return (
      <p class="bar broken" role="alert">
        That paste is larger than 8 MiB; none of it was sent.
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

interface CommandFormProps {
  last: ShellRequest;
  label: string;
  run: (request: ShellRequest) => void;
}

function CommandForm({ last, label, run }: CommandFormProps) {
  const isShell = commandLine(last.command) === commandLine(SHELL);
  const line = useSignal(isShell ? "" : commandLine(last.command));
  const user = useSignal(last.user);
  const refusal = useSignal<string | undefined>(undefined);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    if (last.command.length === 0) form.current?.querySelector("input")?.focus();
  }, [last]);
  const send = (event: Event) => {
    event.preventDefault();
    try {
      const command = line.value.trim() === "" ? [...SHELL] : words(line.value);
      run({ command, user: user.value.trim() });
    } catch (thrown) {
      refusal.value = failure(thrown).message;
    }
  };
  return (
    <form class="command" onSubmit={send} ref={form}>
      <input
        class="line"
        aria-label="Command"
        placeholder="A shell: bash if there is one, else sh"
        value={line.value}
        onInput={(event) => (line.value = event.currentTarget.value)}
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
        maxLength={4096}
      />
      <input
        class="user"
        aria-label="User"
        placeholder="User"
        value={user.value}
        onInput={(event) => (user.value = event.currentTarget.value)}
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
        maxLength={128}
      />
      <button class="primary">{label}</button>
      {refusal.value !== undefined && <p role="alert">{refusal.value}</p>}
    </form>
  );
}

function sentence(state: ShellState): string {
  if (state.state === "failed") return `${state.ran ? "Broken off" : "Not started"}: ${state.error.message}`;
  if (state.state !== "ended") return "";
  if ("unknown" in state.status) return `Ended; the exit code is not known: ${state.status.unknown}`;
  return `Ended with exit code ${state.status.code}.`;
}

/** What was broken off may be half done: the words say that it starts from the beginning. */
function label(state: ShellState): string {
  if (state.state === "idle") return "Run";
  return state.state === "failed" && state.ran ? "Start anew" : "Run again";
}
