/** The connections of clients: each brings channels until it ends, or the access of whoever uses it is withdrawn. */

import type { Subject } from "../../auth/grant.ts";
import type { Budget } from "../../mux/budget.ts";
import type { Channel } from "../../mux/channel.ts";
import { CLOSE } from "../../mux/errors.ts";
import type { GoAway } from "../../mux/frame.ts";
import { Mux } from "../../mux/mux.ts";
import type { Transport } from "../../mux/transport.ts";
import { ERRORS } from "../../protocol/errors.ts";
import type { Visitor } from "./purpose.ts";

export interface ConnectionsOptions {
  software: string;
  budget: Budget;
  /** Takes a channel that a client opened. */
  receive: (channel: Channel, visitor: Visitor) => void;
  /** Resolves when what this subject had open has ended, and its clients were told. */
  ending: (subject: Subject) => Promise<void>;
}

export class Connections {
  readonly #options: ConnectionsOptions;
  readonly #muxes = new Set<Mux>();

  constructor(options: ConnectionsOptions) {
    this.#options = options;
  }

  serve(transport: Transport, visitor: Visitor): void {
    const { software, budget, receive } = this.#options;
    const accept = (channel: Channel) => receive(channel, visitor);
    const mux = new Mux(transport, { role: "listener", software, budget, accept });
    const { revoked } = visitor.subject;
    const withdraw = () => void this.#withdraw(mux, visitor.subject);
    this.#muxes.add(mux);
    revoked.addEventListener("abort", withdraw, { once: true });
    void mux.closed.then(() => {
      this.#muxes.delete(mux);
      revoked.removeEventListener("abort", withdraw);
    });
    if (revoked.aborted) withdraw();
  }

  get size(): number {
    return this.#muxes.size;
  }

  /** That are open, on all connections. */
  get channels(): number {
    return [...this.#muxes].reduce((all, mux) => all + mux.size, 0);
  }

  /** Tells all clients to go elsewhere. */
  goAway(words: GoAway): void {
    for (const mux of this.#muxes) mux.goAway(words);
  }

  /** Idempotent. */
  close(reason: string): void {
    for (const mux of this.#muxes) mux.close(CLOSE.goingAway, reason);
  }

  /** The sessions end by themselves; the connection goes once they had their last words. */
  async #withdraw(mux: Mux, subject: Subject): Promise<void> {
    await this.#options.ending(subject);
    mux.close(ERRORS.revoked.close, "access was withdrawn");
  }
}
