/** Where the connection to a node's agent is: the narrow waist that several servers will share one day. */

import type { Channel, OpenRequest } from "../../mux/channel.ts";

/** Of each connection's room, what is the server's own: clients who fill all the rest cannot keep its orders from the agent. */
export const RESERVED = 8;

/** A connection to an agent that takes channels. */
export interface Holder {
  /** How many more of them it takes at present. */
  readonly room: number;
  /** Opens a channel to the agent; call `start` on it in the same tick. */
  open(request: OpenRequest): Channel;
}

export interface Messaging {
  /** Whoever holds the connection of the node with this id; undefined while its agent is away. */
  find(node: string): Promise<Holder | undefined>;
}
