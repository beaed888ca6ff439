/** A text to be taken elsewhere, with a button that copies it. */

import { useSignal } from "@preact/signals";

/** How long it says that it has copied, in milliseconds. */
const SAID_MS = 2_000;
const COPIED = "Copied.";

export function Copyable({ text }: { text: string }) {
  const said = useSignal("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      said.value = COPIED;
      setTimeout(() => said.value === COPIED && (said.value = ""), SAID_MS);
    } catch {
      said.value = "The browser does not allow that: select the text and copy it yourself.";
    }
  };
  return (
    <>
      <pre class="copyable">{text}</pre>
      {/* Browsers have no clipboard for pages that came without encryption from elsewhere. */}
      {isSecureContext && <button onClick={() => void copy()}>Copy</button>}{" "}
      <span class="quiet" role="status">
        {said.value}
      </span>
    </>
  );
}
