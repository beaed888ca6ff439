/** Tells the user when the connection is lost for longer than a moment, and when it is back. */

import type { LinkState } from "../client/link.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Messages } from "./messages.ts";

/** A shorter interruption is not worth a word, in milliseconds. */
const QUIET_MS = 1_500;

export class LinkStatus {
  readonly #messages: Messages;
  #timer: NodeJS.Timeout | undefined;
  /** By the node that they lead to; undefined for one that leads to several. */
  readonly #lost = new Set<string | undefined>();
  #told = false;
  #words = "";

  constructor(messages: Messages) {
    this.#messages = messages;
  }

  /** A connection is away; keys typed now cannot arrive yet. */
  get lost(): boolean {
    return this.#lost.size > 0;
  }

  /** To be given to the client. */
  readonly onState = (state: LinkState, node?: string): void => {
    if (state.state === "reconnecting") this.#reconnecting(state.attempt, node);
    else if (state.state === "leaving") this.#leaving(state);
    else if (state.state !== "connecting" && this.#lost.delete(node) && !this.lost) this.#settled(state.state);
  };

  /** Takes the status line away. Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lost.clear();
    this.#messages.status(undefined);
  }

  #reconnecting(attempt: number, node: string | undefined): void {
    this.#lost.add(node);
    this.#words = `connection lost, reconnecting (attempt ${attempt}) ...`;
    if (this.#told) this.#messages.status(this.#words);
    else this.#timer ??= setTimeout(() => this.#tell(), QUIET_MS);
  }

  /** What can move to the next agent does so by itself, and is not worth a word; what cannot has so long. */
  #leaving({ reason, endsInMs }: LinkState & { state: "leaving" }): void {
    if (endsInMs > 0 && this.#messages.raw)
      this.#messages.intrude(`${reason}; this session ends in ${formatDuration(endsInMs)}`);
  }

  #tell(): void {
    this.#told = true;
    if (this.#messages.raw) this.#messages.intrude("connection lost, reconnecting ... Enter ~ . gives up");
    else this.#messages.status(this.#words);
  }

  /** None is away any more: all are back, or the last one was given up. */
  #settled(how: "connected" | "closed"): void {
    if (how === "connected" && this.#told && this.#messages.raw) this.#messages.intrude("connected again");
    this.#told = false;
    this.close();
  }
}
