/** Which containers of the hosts a caller may inspect: where that depends on labels, the hosts' agents say it with their lists. */

import type { Subject } from "../../auth/grant.ts";
import type { Nodes } from "../nodes/nodes.ts";
import type { Relay } from "../relay/relay.ts";
import { Everywhere } from "./everywhere.ts";
import { visible } from "./visible.ts";

export interface InspectableParts {
  nodes: Nodes;
  relay: Relay;
  /** Has the right to inspect something. */
  subject: Subject;
  signal: AbortSignal;
  /** Hears of a host of which more or less may be inspected than before. */
  changed: (node: string) => void;
}

export class Inspectable {
  /** By host; absent where no labels matter. */
  readonly #ids: Map<string, ReadonlySet<string>> | undefined;

  constructor(parts: InspectableParts) {
    if (parts.subject.grant.scopes.length === 0) return;
    this.#ids = new Map();
    void follow(parts, this.#ids);
  }

  has(node: string, id: string): boolean {
    return this.#ids === undefined || this.#ids.get(node)?.has(id) === true;
  }
}

/** Until the signal aborts; never rejects. */
async function follow(parts: InspectableParts, ids: Map<string, ReadonlySet<string>>): Promise<void> {
  const { nodes, relay, subject, signal, changed } = parts;
  const lists = new Everywhere({ relay, subject, nodes: visible(nodes, subject, signal), signal });
  try {
    for await (const line of lists.lines()) {
      for (const { node, containers } of line.changed) {
        const mine = containers.filter(({ rights }) => rights.includes("inspect"));
        ids.set(node, new Set(mine.map(({ id }) => id)));
        changed(node);
      }
    }
  } catch {
    // Of what is not known any more nothing may be told.
    ids.clear();
  }
}
