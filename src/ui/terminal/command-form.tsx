/** The form for a command and the user to run it as. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { failure } from "../failure.ts";
import { commandLine, isShell, SHELL, words } from "./command-line.ts";
import type { ShellRequest } from "./start.ts";

export interface CommandFormProps {
  last: ShellRequest;
  label: string;
  run: (request: ShellRequest) => void;
}

export function CommandForm({ last, label, run }: CommandFormProps) {
  const line = useSignal(isShell(last.command) ? "" : commandLine(last.command));
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
