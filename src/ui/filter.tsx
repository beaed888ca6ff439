/** The field that narrows what is shown. */

import type { Signal } from "@preact/signals";

export function Filter({ typed, label }: { typed: Signal<string>; label: string }) {
  return (
    <input
      type="search"
      aria-label={label}
      placeholder="Filter"
      value={typed.value}
      onInput={(event) => (typed.value = event.currentTarget.value)}
    />
  );
}
