/** How many connections strangers may hold: a flood of them must not keep those out who have credentials. */

import type { Socket } from "node:net";
import { type Networks, sourceOf } from "./address.ts";
import type { Limits } from "./options.ts";

interface Waiting {
  socket: Socket;
  source: string;
  shared: boolean;
}

/**
 * Counts connections until somebody proves on them who he is. A source over its limit is refused, and of all strangers
 * together a growing share is dropped at random. A shared source (this machine, or a trusted proxy) is different:
 * all its users would pay for one of them, so there the connection that has waited longest makes room for the new one.
 */
export class ConnectionBudget {
  /** In order of arrival, by both ends of the connection: TLS has another object for the same socket. */
  readonly #waiting = new Map<string, Waiting>();
  readonly #limits: Limits;
  readonly #proxies: Networks;
  readonly #random: () => number;

  constructor(limits: Limits, proxies: Networks, random: () => number = Math.random) {
    this.#limits = limits;
    this.#proxies = proxies;
    this.#random = random;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Takes note of a new connection, or destroys it. */
  arrived(socket: Socket): void {
    const { name: source, shared } = sourceOf(socket.remoteAddress, undefined, this.#proxies);
    const siblings = [...this.#waiting.values()].filter((other) => other.source === source);
    if (shared) this.#makeRoom(siblings);
    else if (siblings.length >= this.#limits.perSource || this.#dropsEarly()) return void socket.destroy();
    const id = identify(socket);
    this.#waiting.set(id, { socket, source, shared });
    socket.once("close", () => this.#waiting.delete(id));
  }

  /** Somebody with credentials uses this connection: it no longer counts. */
  authenticated(socket: Socket): void {
    this.#waiting.delete(identify(socket));
  }

  #makeRoom(siblings: Waiting[]): void {
    const [oldest] = siblings;
    if (oldest && siblings.length >= this.#limits.unauthenticated.full) {
      this.#waiting.delete(identify(oldest.socket));
      oldest.socket.destroy();
    }
  }

  #dropsEarly(): boolean {
    const { begin, share, full } = this.#limits.unauthenticated;
    const strangers = [...this.#waiting.values()].filter((other) => !other.shared).length;
    if (strangers < begin) return false;
    return this.#random() < share + ((1 - share) * (strangers - begin)) / Math.max(1, full - begin);
  }
}

function identify(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
