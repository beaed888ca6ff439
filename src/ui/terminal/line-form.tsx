/** What is typed to a process that has no terminal: whole lines. */

import { useSignal } from "@preact/signals";

export function LineForm({ say }: { say: (line: string) => void }) {
  const line = useSignal("");
  const send = (event: Event) => {
    event.preventDefault();
    say(line.value);
    line.value = "";
  };
  return (
    <form class="bar command" onSubmit={send}>
      <input
        class="line"
        aria-label="Line to send"
        placeholder="A line to send"
        value={line.value}
        onInput={(event) => (line.value = event.currentTarget.value)}
        autocapitalize="off"
        autocomplete="off"
        spellcheck={false}
      />
      <button class="primary">Send</button>
    </form>
  );
}
