/** Hosts below the program's own, on which others speak: who answers there is asked before any route is looked at. */

import { EventEmitter } from "node:events";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Networks } from "./address.ts";
import type { ConnectionBudget } from "./budget.ts";
import type { DoorMetrics } from "./metrics.ts";
import type { Pipelines } from "./pipelines.ts";

export interface OtherHosts {
  /** False when the request is for none of them; else it is answered, whatever happens. */
  request(request: IncomingMessage, response: ServerResponse): boolean;
  /** The same for a WebSocket. `head` is what its client said before it had an answer. */
  upgrade(request: IncomingMessage, client: Socket, head: Buffer): boolean;
  /** Whether a request is being answered on this connection that may take as long as it takes. */
  serves(socket: Duplex): boolean;
}

/** What the door shares with those who answer on other hosts. */
export interface Neighbourhood {
  proxies: Networks;
  budget: ConnectionBudget;
  metrics: DoorMetrics;
  /** Aborted once the program takes no new work. */
  draining: AbortSignal;
}

/** For a program that has no other hosts. */
export const NOBODY: OtherHosts = { request: () => false, upgrade: () => false, serves: () => false };

/** The server's one listener for upgrades: those of no other host are told by the result. */
export function ownUpgrades(
  server: Server,
  { others, pipelines }: { others: OtherHosts; pipelines: Pipelines },
): EventEmitter {
  const own = new EventEmitter();
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (pipelines.cut(socket)) return;
    if (!others.upgrade(request, socket as Socket, head)) own.emit("upgrade", request, socket, head);
  });
  return own;
}
