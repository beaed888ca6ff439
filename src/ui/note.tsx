/** A line that says how something stands, to readers and screen readers alike. */

import type { ComponentChildren } from "preact";

export interface NoteProps {
  /** `live`: it goes on as it should. `broken`: it does not. */
  look?: "live" | "broken";
  children: ComponentChildren;
}

export function Note({ look, children }: NoteProps) {
  return (
    <p class={look ? `note ${look}` : "note"} role="status">
      {children}
    </p>
  );
}
