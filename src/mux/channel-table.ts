/** The open channels of a connection by number: each side has every second one, counts up, and uses none twice. */

import type { Channel } from "./channel.ts";
import { violation } from "./errors.ts";

export class ChannelTable {
  readonly #open = new Map<number, Channel>();
  /** What is left of this side's numbers after division by two. */
  readonly #parity: number;
  #lastOwn: number;
  #lastTheirs: number;
  #own = 0;
  #theirs = 0;

  constructor(role: "dialler" | "listener") {
    this.#parity = role === "dialler" ? 1 : 0;
    this.#lastOwn = role === "dialler" ? -1 : 0;
    this.#lastTheirs = role === "dialler" ? 0 : -1;
  }

  /** How many are open. */
  get size(): number {
    return this.#open.size;
  }

  /** How many of those that this side opened. */
  get own(): number {
    return this.#own;
  }

  /** How many of those that the other side opened. */
  get theirs(): number {
    return this.#theirs;
  }

  /** The number of the next channel that this side opens. */
  next(): number {
    this.#lastOwn += 2;
    return this.#lastOwn;
  }

  /** Throws unless the other side may open a channel of that number now. */
  expect(id: number): void {
    if (this.#isOwn(id) || id <= this.#lastTheirs) throw violation(`channel ${id} may not be opened`);
    this.#lastTheirs = id;
  }

  add(channel: Channel): void {
    this.#open.set(channel.id, channel);
    if (this.#isOwn(channel.id)) this.#own += 1;
    else this.#theirs += 1;
  }

  /** Frames for a channel that ended here and not yet there are expected: for those there is none. Throws for one that never was. */
  find(id: number): Channel | undefined {
    const channel = this.#open.get(id);
    if (channel) return channel;
    const last = this.#isOwn(id) ? this.#lastOwn : this.#lastTheirs;
    if (id > last) throw violation(`channel ${id} was never opened`);
    return undefined;
  }

  /** Idempotent. */
  release({ id }: Channel): void {
    if (!this.#open.delete(id)) return;
    if (this.#isOwn(id)) this.#own -= 1;
    else this.#theirs -= 1;
  }

  get all(): Iterable<Channel> {
    return this.#open.values();
  }

  /** All that were open; none is any more. */
  clear(): Channel[] {
    const all = [...this.#open.values()];
    this.#open.clear();
    return all;
  }

  /** This side opened it, or would. */
  #isOwn(id: number): boolean {
    return id % 2 === this.#parity;
  }
}
