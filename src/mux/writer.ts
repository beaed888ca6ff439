/** Puts frames on the transport: those of the connection first, then channels in turn, and never far ahead of what has left. */

import type { Channel } from "./channel.ts";
import type { Transport } from "./transport.ts";

/** Bytes handed to the transport and not gone: what a keystroke has to wait for on this machine. */
const WRITE_AHEAD = 262_144;

type Outlet = Pick<Transport, "buffered" | "writeAhead" | "send">;

export class Writer {
  readonly #transport: Outlet;
  readonly #writeAhead: number;
  readonly #control: Uint8Array[] = [];
  /** Channels that were quiet and now have something: served before those that send on and on. */
  readonly #fresh: Channel[] = [];
  readonly #steady: Channel[] = [];
  #state: "idle" | "writing" | "stopped" = "idle";

  constructor(transport: Outlet) {
    this.#transport = transport;
    this.#writeAhead = transport.writeAhead ?? WRITE_AHEAD;
  }

  /** Frames of the connection itself that still wait. */
  get waiting(): number {
    return this.#control.length;
  }

  /** A frame of the connection itself. */
  say(frame: Uint8Array): void {
    this.#control.push(frame);
    this.flush();
  }

  /** The channel has something to send. */
  wake(channel: Channel): void {
    if (!channel.queued) {
      channel.queued = true;
      this.#fresh.push(channel);
    }
    this.flush();
  }

  /** One frame a turn and channel, quiet channels first: bulk never starves a keystroke. */
  flush(): void {
    if (this.#state !== "idle") return;
    this.#state = "writing";
    while (this.#transport.buffered < this.#writeAhead) {
      const frame = this.#control.shift() ?? this.#nextOfChannels();
      if (!frame) break;
      this.#transport.send(frame);
    }
    this.#rest();
  }

  /** The connection is over: nothing is written any more. */
  stop(): void {
    this.#state = "stopped";
    this.#control.length = 0;
  }

  #rest(): void {
    if (this.#state === "writing") this.#state = "idle";
  }

  #nextOfChannels(): Uint8Array | undefined {
    for (;;) {
      const channel = this.#fresh.shift() ?? this.#steady.shift();
      if (!channel) return undefined;
      const frame = channel.next();
      channel.queued = channel.pending;
      if (channel.queued) this.#steady.push(channel);
      if (frame) return frame;
    }
  }
}
