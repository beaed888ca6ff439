/** What is typed to a process that has no terminal: whole lines. */

import { useSignal } from "@preact/signals";
import { TextInput } from "../text-input.tsx";

export function LineForm({ say }: { say: (line: string) => void }) {
  const line = useSignal("");
  const send = (event: Event) => {
    event.preventDefault();
    say(line.value);
    line.value = "";
  };
  return (
    <form class="bar command" onSubmit={send}>
      <TextInput typed={line} label="Line to send" placeholder="A line to send" />
      <button class="primary">Send</button>
    </form>
  );
}
