/** A text to be taken elsewhere, with a button that copies it. */

import { useSignal } from "@preact/signals";

/** How long the button says that it has copied, in milliseconds. */
const SAID_MS = 2_000;

export function Copyable({ text }: { text: string }) {
  const copied = useSignal(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text).catch(() => {});
    copied.value = true;
    setTimeout(() => (copied.value = false), SAID_MS);
  };
  return (
    <>
      <pre class="copyable">{text}</pre>
      {/* Browsers have no clipboard for pages that came without encryption from elsewhere. */}
      {isSecureContext && <button onClick={() => void copy()}>{copied.value ? "Copied" : "Copy"}</button>}
    </>
  );
}
