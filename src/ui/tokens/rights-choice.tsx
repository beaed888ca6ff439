/** The rights of a new token, each with what it allows. */

import type { Signal } from "@preact/signals";
import { type Right, RIGHTS } from "../../protocol/rights.ts";

const ALLOWS: Record<Right, string> = {
  list: "see hosts, containers and events",
  inspect: "see details of containers and what they use",
  metrics: "read metrics of agents and of the server",
  logs: "read logs",
  exec: "run commands and terminals in containers",
  "attach-ro": "watch main processes",
  "attach-rw": "watch main processes and type to them",
  forward: "connect to ports",
  proxy: "open containers' pages",
  "copy-in": "copy files into containers",
  "copy-out": "copy files out of containers",
  lifecycle: "start, stop, restart and remove containers",
  record: "nothing yet: it is for recordings of sessions",
  "host-shell": "work on the host itself, where its agent allows it",
  admin: "everything",
};

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
