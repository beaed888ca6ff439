/** A box to tick, with its words. */

import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";

export function Check({ on, children }: { on: Signal<boolean>; children: ComponentChildren }) {
  return (
    <label class="check">
      <input type="checkbox" checked={on.value} onChange={(event) => (on.value = event.currentTarget.checked)} />
      {children}
    </label>
  );
}
