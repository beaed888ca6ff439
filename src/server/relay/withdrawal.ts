/** Carries withdrawn access to the agents: at once where they are connected, else as the first thing when they are back. */

import { setTimeout as pause } from "node:timers/promises";
import type { GrantSigner } from "../../auth/signed-grant.ts";
import { Backoff } from "../../lib/backoff.ts";
import type { OpenRequest } from "../../mux/channel.ts";
import { ERRORS } from "../../protocol/errors.ts";
import { json } from "../../protocol/json.ts";
import type { Grant } from "../../protocol/rights.ts";
import { HeldSubjects } from "../../protocol/relayed.ts";
import type { Holder, Messaging } from "./messaging.ts";

export interface WithdrawalOptions {
  messaging: Messaging;
  signer: GrantSigner;
  /** Whether somebody of this name may still come in. */
  known: (subject: string) => boolean;
}

/** In whose name the server itself asks. */
const SERVER: Grant = { subject: "server", rights: [], scopes: [] };
/** An agent has so long to answer, in milliseconds. */
const ANSWER_MS = 10_000;
/** Milliseconds until it is asked again, where it had no room for the question or did not answer. */
const RETRY = { first: 100, max: 1_000 };

export class Withdrawal {
  readonly #options: WithdrawalOptions;

  constructor(options: WithdrawalOptions) {
    this.#options = options;
  }

  /** Ends what this subject has open on these nodes, also what waits for it to come back. */
  async tell(subject: string, nodes: readonly string[]): Promise<void> {
    const grant = { ...SERVER, subject };
    await Promise.all(nodes.map((node) => this.#ask(node, grant, "withdraw")));
  }

  /** Of an agent that has just connected: ends what it holds for those who may not come in any more. */
  async catchUp(node: string): Promise<void> {
    const held = HeldSubjects.safeParse(await this.#ask(node, SERVER, "subjects"));
    if (!held.success) return;
    const gone = held.data.subjects.filter((subject) => !this.#options.known(subject));
    await Promise.all(gone.map((subject) => this.tell(subject, [node])));
  }

  /** What the agent answers, which is asked until it does; undefined once it is away: then it is asked again when it is back. */
  async #ask(node: string, grant: Grant, op: string): Promise<unknown> {
    const { messaging, signer } = this.#options;
    const body = new Uint8Array(0);
    for (const backoff = new Backoff(RETRY); ; await pause(backoff.next(), undefined, { ref: false })) {
      const holder = await messaging.find(node);
      if (!holder) return undefined;
      if (holder.room <= 0) continue;
      const token = signer.sign({ agent: node, grant, session: op, header: { op }, body });
      const answer = await this.#hear(holder, { header: json({ grant: token }), body });
      if (answer !== undefined) return answer;
    }
  }

  /** Undefined: nothing. */
  #hear(holder: Holder, request: OpenRequest): Promise<unknown> {
    const channel = holder.open(request);
    return new Promise((resolve) => {
      const timer = setTimeout(() => channel.close(ERRORS["no-answer"].close, "no answer"), ANSWER_MS);
      channel.start({
        message() {},
        credit() {},
        ack() {},
        reply: (bytes) => resolve(JSON.parse(Buffer.from(bytes).toString())),
        close() {
          clearTimeout(timer);
          resolve(undefined);
        },
      });
    });
  }
}
