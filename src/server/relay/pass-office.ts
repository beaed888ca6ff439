/** Gives passes: with one, a client that reaches an agent comes to it without the relay. */

import type { Subject } from "../../auth/grant.ts";
import type { PassSigner } from "../../auth/pass.ts";
import { FairleadError } from "../../protocol/errors.ts";
import type { DirectDoor } from "../../protocol/node.ts";
import type { PassReply } from "../../protocol/pass.ts";
import type { Reach } from "./relay.ts";

export interface PassRules {
  /** Whether anybody gets one. */
  allowed: boolean;
  /** For how many milliseconds what was opened with one may go on while its agent hears nothing from this server. */
  offline: number;
}

export interface PassOfficeParts {
  signer: PassSigner;
  rules: PassRules;
  /** The node with this name; undefined for one that does not exist and for one that is not the caller's to reach. */
  reach: (subject: Subject, node: string) => Promise<Reach | undefined>;
  /** Where the agent of the node with this id can be dialled, as it says itself; undefined for one that does not report. */
  doorOf: (id: string) => { direct?: DirectDoor | undefined } | undefined;
}

/** Longest pass, in characters: it travels in a header. */
const MAX_PASS = 8_192;

export class PassOffice {
  readonly #parts: PassOfficeParts;

  constructor(parts: PassOfficeParts) {
    this.#parts = parts;
  }

  /** A pass for whoever has the private half of this key, or why there is none. Throws `not-found`. */
  async issue(subject: Subject, { node, key }: { node: string; key: string }): Promise<PassReply> {
    const { signer, rules, reach, doorOf } = this.#parts;
    const found = await reach(subject, node);
    if (!found) throw new FairleadError("not-found", `There is no node "${node}", or none that you may use.`);
    if (!rules.allowed) return { why: "the server gives no passes" };
    const { id: agent, grant, disabled } = found;
    // What it has begun goes on there, and the relay knows what that is.
    if (disabled) return { why: "the host is disabled" };
    const door = doorOf(agent);
    if (!door) return { why: "its agent does not report" };
    if (!door.direct) return { why: "its agent cannot be dialled from elsewhere" };
    const offline = Math.floor(rules.offline / 1_000);
    const pass = signer.sign({ agent, grant, key, offline, pin: door.direct.pin });
    return pass.length > MAX_PASS ? { why: "your scopes are too many for a pass" } : { ...door.direct, pass };
  }
}
