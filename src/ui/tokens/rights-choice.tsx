/** The rights of a new token, each with what it allows. */

import type { Signal } from "@preact/signals";
import { ALLOWS, type Right, RIGHTS } from "../../protocol/rights.ts";

export function RightsChoice({ rights }: { rights: Signal<ReadonlySet<Right>> }) {
  const turn = (right: Right) => {
    const chosen = new Set(rights.peek());
    if (!chosen.delete(right)) chosen.add(right);
    rights.value = chosen;
  };
  return (
    <fieldset class="rights">
      <legend>It may</legend>
      {RIGHTS.map((right) => (
        <label key={right} class="check">
          <input type="checkbox" checked={rights.value.has(right)} onChange={() => turn(right)} />
          <span>
            {right} <span class="quiet">{ALLOWS[right]}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
