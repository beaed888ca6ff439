/** Two channels of two connections made one: what one end says the other hears, and nothing of it is understood or kept here. */

import type { Channel, ChannelEvents } from "../../mux/channel.ts";
import type { CloseInfo } from "../../mux/errors.ts";

/** Bytes of messages that were passed on. */
export interface Carried {
  /** From the client to the agent. */
  in: number;
  /** From the agent to the client. */
  out: number;
}

export interface Junction {
  readonly carried: Carried;
  /** Resolves when either end closed or was cut, with how. */
  readonly closed: Promise<CloseInfo>;
}

/** One direction. A message counts as consumed here once it left, so that what waits never exceeds the window that was granted for it. */
class Lane {
  readonly #from: Channel;
  readonly #to: Channel;
  /** Arrived while the next hop gave no credit. */
  readonly #waiting: Uint8Array[] = [];
  carried = 0;

  constructor(from: Channel, to: Channel) {
    this.#from = from;
    this.#to = to;
  }

  take(message: Uint8Array): void {
    this.#waiting.push(message);
    this.flush();
  }

  flush(): void {
    while (this.#to.credit > 0) {
      const message = this.#waiting.shift();
      if (!message) return;
      this.#to.pass(message);
    }
  }

  left(bytes: number): void {
    this.carried += bytes;
    this.#from.consumed(bytes);
  }
}

/**
 * Joins them until one closes; the other is then closed with the same code, `CLOSE.cut` for one that was cut. Call it in the
 * tick in which `far` was opened.
 */
export function join(near: Channel, far: Channel): Junction {
  const inward = new Lane(near, far);
  const outward = new Lane(far, near);
  const closed = new Promise<CloseInfo>((resolve) => {
    far.start(endOf(near, { into: outward, outOf: inward }, resolve));
    near.start(endOf(far, { into: inward, outOf: outward }, resolve));
  });
  const carried = {
    get in() {
      return inward.carried;
    },
    get out() {
      return outward.carried;
    },
  };
  return { carried, closed };
}

/** What is done with the events of the channel that faces `other`. */
function endOf(
  other: Channel,
  { into, outOf }: { into: Lane; outOf: Lane },
  closed: (info: CloseInfo) => void,
): ChannelEvents {
  return {
    message: (bytes) => into.take(bytes),
    credit: () => outOf.flush(),
    left: (bytes) => outOf.left(bytes),
    ack: (offset) => other.ack(offset),
    reply: (bytes) => other.reply(bytes),
    farewell: (words) => other.farewell(words),
    close: (info) => {
      other.close(info.code, info.reason);
      closed(info);
    },
  };
}
