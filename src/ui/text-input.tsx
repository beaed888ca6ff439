/** A line of text that a person types: nothing corrects or completes it. */

import type { Signal } from "@preact/signals";

export interface TextInputProps {
  typed: Signal<string>;
  /** For those who do not see the placeholder. */
  label: string;
  placeholder: string;
  class?: string;
  /** None, unless what is typed has nothing else. */
  autocapitalize?: "characters";
  maxLength?: number;
  /** The id of what explains it. */
  "aria-describedby"?: string;
  required?: boolean;
}

export function TextInput({ typed, label, class: look = "line", ...rest }: TextInputProps) {
  return (
    <input
      class={look}
      aria-label={label}
      value={typed.value}
      onInput={(event) => (typed.value = event.currentTarget.value)}
      autocapitalize="off"
      autocomplete="off"
      spellcheck={false}
      {...rest}
    />
  );
}
