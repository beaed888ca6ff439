/** The line to the server: one outbound connection on which the server opens channels; dialled again for ever. */

import { forever } from "../../lib/forever.ts";
import type { Budget } from "../../mux/budget.ts";
import type { Channel } from "../../mux/channel.ts";
import { CLOSE } from "../../mux/errors.ts";
import type { GoAway } from "../../mux/frame.ts";
import { Mux } from "../../mux/mux.ts";
import type { Transport } from "../../mux/transport.ts";
import { UPLINK_CHANNELS } from "../../protocol/version.ts";

/** Between attempts, in milliseconds: 1 2 4 8 16 30 30 ..., each with jitter. */
const RETRY = { first: 1_000, max: 30_000 };

export interface RealtimeOptions {
  /** Opens one authenticated socket to the server. */
  dial: (signal: AbortSignal) => Promise<Transport>;
  /** Is given each channel that the server opens. */
  accept: (channel: Channel) => void;
  /** Hears when the server is there, and when not: why, and in how many milliseconds the next attempt comes. */
  onState: (state: RealtimeState) => void;
  budget: Budget;
  software: string;
  /** Shortened by tests only. */
  retry?: { first: number; max: number };
}

export type RealtimeState = { connected: true } | { connected: false; error: unknown; retryInMs: number };

/** A connection that ended, with the code and the words of the end. */
export class LineLost extends Error {
  override readonly name = "LineLost";
  readonly code: number;
  constructor(code: number, reason: string) {
    super(`the connection to the server ended (${reason || `code ${code}`})`);
    this.code = code;
  }
}

export class Realtime {
  readonly #options: RealtimeOptions;
  readonly #stop = new AbortController();
  #done: Promise<void> | undefined;
  #mux: Mux | undefined;

  constructor(options: RealtimeOptions) {
    this.#options = options;
  }

  /** Channels that the server has open. */
  get channels(): number {
    return this.#mux?.size ?? 0;
  }

  /** Dials, and goes on until `close`. Idempotent. */
  start(): void {
    const { onState, retry = RETRY } = this.#options;
    const { signal } = this.#stop;
    const failed = (error: unknown, retryInMs: number) => onState({ connected: false, error, retryInMs });
    this.#done ??= forever(() => this.#attempt(signal), { ...retry, signal, failed });
  }

  /** Tells whoever is at the other end of a channel, behind the server. */
  farewell(words: GoAway): void {
    this.#mux?.farewell(words);
  }

  /** Hangs up. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#mux?.close(CLOSE.goingAway, "the agent is shutting down");
    await this.#done;
  }

  /** One connection, until it ends; always throws, so that the next one waits its turn. */
  async #attempt(signal: AbortSignal): Promise<never> {
    const { dial, accept, onState, budget, software } = this.#options;
    const transport = await dial(signal);
    const mux = new Mux(transport, { role: "dialler", software, budget, accept, channels: UPLINK_CHANNELS });
    this.#mux = mux;
    if (signal.aborted) mux.close(CLOSE.goingAway, "the agent is shutting down");
    else onState({ connected: true });
    const { code, reason } = await mux.closed;
    this.#mux = undefined;
    throw new LineLost(code, reason);
  }
}
