/** The form for a command and the user to run it as. */

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { failure } from "../failure.ts";
import { TextInput } from "../text-input.tsx";
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
      <TextInput typed={line} label="Command" placeholder="A shell: bash if there is one, else sh" maxLength={4096} />
      <TextInput typed={user} class="user" label="User" placeholder="User" maxLength={128} />
      <button class="primary">{label}</button>
      {refusal.value !== undefined && <p role="alert">{refusal.value}</p>}
    </form>
  );
}
