/** Plays conversations whose connections are cut by RST at sampled bytes. */

import assert from "node:assert/strict";
import type { Client } from "../../src/client/client.ts";
import { type ProxiedConnection, Proxy, type Spoiling, type Way } from "../support/proxy.ts";
import type { Neighbour } from "./neighbour.ts";
import { connectTo, portOf } from "./stage.ts";

/** Conversations at a time. */
const AT_ONCE = 4;

/** Whoever is called: an agent, or a server. */
export type Called = Parameters<typeof connectTo>[0];
export type Converse = (client: Client) => Promise<void>;

/** One offset in each of so many equal stretches. */
export function sample(bytes: number, count: number, random: () => number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(((i + random()) / count) * bytes));
}

/** Bytes that a conversation needs in this direction. */
export async function length(called: Called, way: Way, converse: Converse): Promise<number> {
  return (await playCut(called, [], converse)).carried[way];
}

/** Plays every offset while the neighbour's bytes are compared. */
export async function playAll(
  offsets: number[],
  neighbour: Neighbour,
  play: (offset: number) => Promise<ProxiedConnection>,
): Promise<void> {
  const waiting = [...offsets];
  let cuts = 0;
  const player = async () => {
    for (let offset = waiting.shift(); offset !== undefined; offset = waiting.shift()) {
      try {
        if ((await play(offset)).wasCut) cuts += 1;
      } catch (cause) {
        waiting.length = 0;
        throw new Error(`cut after byte ${offset}`, { cause });
      }
    }
  };
  const watcher = async () => {
    while (waiting.length > 0) await neighbour.pulse();
  };
  const players = await Promise.allSettled([watcher(), ...Array.from({ length: AT_ONCE }, player)]);
  for (const it of players) if (it.status === "rejected") throw it.reason;
  // What the last acknowledgements and pings add differs from one conversation to the next.
  const missed = Math.max(1, Math.ceil(offsets.length * 0.05));
  assert.ok(cuts >= offsets.length - missed, `only ${cuts} of ${offsets.length} conversations were cut`);
}

export function cutAt(way: Way, after: number): Spoiling {
  return { cut: { way, after, by: "reset" } };
}

/** The first connections are spoiled; the client finds its way back through the same port by itself. Gives the first one. */
export async function playCut(called: Called, connections: Spoiling[], converse: Converse): Promise<ProxiedConnection> {
  await using proxy = await Proxy.start({ port: portOf(called), connections });
  const client = connectTo(called, { port: proxy.port });
  try {
    await converse(client);
    return proxy.connections[0] ?? assert.fail("nobody connected");
  } finally {
    await client.close();
    await Promise.all(proxy.connections.map(({ over }) => over));
  }
}
