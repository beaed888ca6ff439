/** Why something did not work, until it is read or tried again. */

import type { Signal } from "@preact/signals";

export function Problem({ words }: { words: Signal<string | undefined> }) {
  if (words.value === undefined) return null;
  return (
    <p class="note broken" role="alert">
      {words.value}
      <button onClick={() => (words.value = undefined)}>Dismiss</button>
    </p>
  );
}
