/** Everything that carries sessions, put together: the agents' connections, the relay, and withdrawn access on its way to the agents. */

import type { Credentials } from "../../auth/credentials.ts";
import { reaches, type Subject } from "../../auth/grant.ts";
import type { SigningKey } from "../../auth/keys.ts";
import { PassSigner } from "../../auth/pass.ts";
import { GrantSigner } from "../../auth/signed-grant.ts";
import { Budget } from "../../mux/budget.ts";
import type { RelayAudit } from "./ledger.ts";
import { PassOffice, type PassOfficeParts, type PassRules } from "./pass-office.ts";
import { type Reach, Relay } from "./relay.ts";
import { Uplinks } from "./uplinks.ts";
import { Withdrawal } from "./withdrawal.ts";

/** Windows of all channels together, beyond what each has without asking, in bytes. */
const BUDGET = 64 * 1024 * 1024;

export interface ExchangeOptions {
  /** By which agents know this server's word. */
  key: SigningKey;
  credentials: Pick<Credentials, "knows" | "tokens">;
  /** The node with this name. */
  find: (node: string) => Promise<Pick<Reach, "id" | "disabled"> | undefined>;
  doorOf: PassOfficeParts["doorOf"];
  passes: PassRules;
  audit: RelayAudit;
  software: string;
}

export class Exchange {
  readonly uplinks: Uplinks;
  readonly relay: Relay;
  readonly passes: PassOffice;
  readonly budget = new Budget(BUDGET);

  constructor({ key, credentials, find, doorOf, passes: rules, audit, software }: ExchangeOptions) {
    const { budget } = this;
    const signer = new GrantSigner(key);
    const changed = (node: string, connected: boolean) => void (connected && withdrawal.catchUp(node));
    const uplinks = new Uplinks({ budget, software, changed });
    const known = (subject: string) => credentials.knows(subject);
    const withdrawal = new Withdrawal({ messaging: uplinks, signer, known });
    const withdraw = (subject: string) => void withdrawal.tell(subject, uplinks.nodes);
    const reach = (subject: Subject, node: string) => reachOf(subject, node, find);
    // Who came to an agent directly has no connection here that would tell it.
    credentials.tokens.listen(withdraw);
    this.uplinks = uplinks;
    this.passes = new PassOffice({ signer: new PassSigner(key), rules, reach, doorOf });
    this.relay = new Relay({ messaging: uplinks, signer, reach, withdraw, audit, budget, software });
  }

  /** Cuts everybody; kept sessions wait on their agents. Idempotent. */
  close(): void {
    this.relay.close();
    this.uplinks.close();
  }
}

async function reachOf({ grant }: Subject, name: string, find: ExchangeOptions["find"]): Promise<Reach | undefined> {
  if (!reaches(grant, name)) return undefined;
  const found = await find(name);
  return found && { ...found, name, grant };
}
