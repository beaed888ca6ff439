/** The page's one connection for sessions: made when the first is opened, shared by all, whatever host they are on. */

import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { Client } from "../client/client.ts";
import type { LinkState } from "../client/link.ts";
import { FairleadError } from "../protocol/errors.ts";
import type { Account } from "./account.ts";
import { pageDial } from "./dial.ts";

/** With a `node`: of that host's, behind the server. Of one that is gone: which attempt is the next one, and when (milliseconds since 1970); of one that will go: when. */
export type LinkView =
  | { state: "fine" }
  | { state: "leaving"; node?: string | undefined; until: number }
  | { state: "broken"; node?: string | undefined; attempt: number; until: number; error: FairleadError };

/** The way to the sessions of one host. */
export interface Way {
  readonly client: Client;
  /** Nothing goes over it at present. */
  readonly broken: ReadonlySignal<boolean>;
}

export class Link {
  readonly view = signal<LinkView>({ state: "fine" });
  readonly #account: Account;
  #client: Client | undefined;

  constructor(account: Account) {
    this.#account = account;
  }

  /** To open sessions with. Not to be kept: one that was closed by a final refusal is replaced. */
  get client(): Client {
    return (this.#client ??= this.#connect());
  }

  /** Of a fleet every host has to be named; an agent's own has no name here. */
  to(node: string | undefined): Way {
    const client = () => (node === undefined ? this.client : this.client.on(node));
    const broken = computed(() => {
      const view = this.view.value;
      return view.state === "broken" && (view.node === undefined || view.node === node);
    });
    return {
      broken,
      get client() {
        return client();
      },
    };
  }

  /** Ends every session at once, e.g. at sign-out or when the page goes away. */
  async close(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    this.view.value = { state: "fine" };
    await client?.close();
  }

  #connect(): Client {
    const client: Client = new Client({
      dial: pageDial(this.#account),
      software: "fairlead-page",
      onState: (state) => {
        if (this.#client !== client) return;
        if (state.state === "closed") this.#client = undefined;
        this.view.value = viewOf(state);
      },
    });
    return client;
  }
}

function viewOf(state: LinkState): LinkView {
  if (state.state === "leaving") return { state: "leaving", node: state.node, until: Date.now() + state.endsInMs };
  if (state.state !== "reconnecting") return { state: "fine" };
  const { node, attempt } = state;
  return { state: "broken", node, attempt, until: Date.now() + state.retryInMs, error: state.error };
}
