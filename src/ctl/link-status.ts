/** Tells the user when the connection is lost for longer than a moment, and when it is back. */

import type { LinkState } from "../client/link.ts";
import { formatDuration } from "../lib/duration.ts";
import type { Messages } from "./messages.ts";

/** A shorter interruption is not worth a word, in milliseconds. */
const QUIET_MS = 1_500;

export class LinkStatus {
  readonly #messages: Messages;
  #timer: NodeJS.Timeout | undefined;
  #lost = false;
  #told = false;
  #words = "";

  constructor(messages: Messages) {
    this.#messages = messages;
  }

  /** The connection is away; keys typed now cannot arrive yet. */
  get lost(): boolean {
    return this.#lost;
  }

  /** To be given to the client. */
  readonly onState = (state: LinkState): void => {
    if (state.state === "reconnecting") this.#reconnecting(state.attempt);
    else if (state.state === "connected") this.#back();
    else if (state.state === "leaving") this.#leaving(state);
    else if (state.state === "closed") this.close();
  };

  /** Takes the status line away. Idempotent. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#lost = false;
    this.#messages.status(undefined);
  }

  #reconnecting(attempt: number): void {
    this.#lost = true;
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

  #back(): void {
    if (this.#told && this.#messages.raw) this.#messages.intrude("connected again");
    this.#told = false;
    this.close();
  }
}
