/** Where the connection to a node's agent is: the narrow waist that several servers will share one day. */

import type { Channel, OpenRequest } from "../../mux/channel.ts";

/** A connection to an agent that takes channels. */
export interface Holder {
  /** It takes no more of them at present. */
  readonly full: boolean;
  /** Opens a channel to the agent; call `start` on it in the same tick. */
  open(request: OpenRequest): Channel;
}

export interface Messaging {
  /** Whoever holds the connection of the node with this id; undefined while its agent is away. */
  find(node: string): Promise<Holder | undefined>;
}
