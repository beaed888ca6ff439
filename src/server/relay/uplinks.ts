/** The connections that agents have made to this server: one a node, the newest counts. */

import type { Budget } from "../../mux/budget.ts";
import type { OpenRequest } from "../../mux/channel.ts";
import type { CloseInfo } from "../../mux/errors.ts";
import { Mux } from "../../mux/mux.ts";
import type { Transport } from "../../mux/transport.ts";
import { ERRORS } from "../../protocol/errors.ts";
import type { Holder, Messaging } from "./messaging.ts";

export interface UplinksOptions {
  budget: Budget;
  software: string;
  /** Hears when a node's agent has connected, and when it has none any more. */
  changed?: (node: string, connected: boolean) => void;
}

export class Uplinks implements Messaging {
  readonly #options: UplinksOptions;
  readonly #muxes = new Map<string, Mux>();

  constructor(options: UplinksOptions) {
    this.#options = options;
  }

  /** Nodes whose agents are connected, by id. */
  get nodes(): string[] {
    return [...this.#muxes.keys()];
  }

  /** Takes an authenticated agent's connection; an older one of the same node is closed. Resolves when it has ended. */
  async hold(node: string, transport: Transport): Promise<void> {
    const { budget, software, changed } = this.#options;
    const mux = new Mux(transport, { role: "listener", software, budget });
    const former = this.#muxes.get(node);
    this.#muxes.set(node, mux);
    former?.close(ERRORS.conflict.close, "this agent has connected again");
    changed?.(node, true);
    await mux.closed;
    if (this.#muxes.get(node) !== mux) return;
    this.#muxes.delete(node);
    changed?.(node, false);
  }

  async find(node: string): Promise<Holder | undefined> {
    const mux = this.#muxes.get(node);
    return mux && { room: mux.room, open: (request: OpenRequest) => mux.open(request) };
  }

  /** The node's agent may not stay, or has to come again: why. */
  cut(node: string, { code, reason }: CloseInfo): void {
    this.#muxes.get(node)?.close(code, reason);
  }

  close(): void {
    for (const mux of this.#muxes.values()) mux.close(ERRORS["shutting-down"].close, "the server is shutting down");
  }
}
