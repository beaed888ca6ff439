/**
 * Cuts connections between a client and the real agent, in front of a real engine, by RST at sampled bytes either way,
 * and compares every byte that arrives. FAIRLEAD_SEED repeats a run, FAIRLEAD_CUTS asks for another number of cuts.
 */

import assert from "node:assert/strict";
import type { ChildProcess } from "node:child_process";
import { after, before, suite, test } from "node:test";
import type { Client } from "../../src/client/client.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { type ProxiedConnection, Proxy, type Spoiling, type Way } from "../support/proxy.ts";
import { startTalker, TALKER, talkToExec, talkToPort } from "./conversation.ts";
import { Neighbour } from "./neighbour.ts";
import { seeded } from "./pattern.ts";
import { carries, connectTo, portOf } from "./stage.ts";

/** All cuts of this file together. */
const CUTS = Number(process.env["FAIRLEAD_CUTS"] ?? 2_000);
const SEED = Number(process.env["FAIRLEAD_SEED"] ?? Date.now() % 1_000_000);
/** The file's tests that share the cuts, and of how many of its share a slow one plays one. */
const TESTS = 8;
const SLOW_SHARE = 5;
/** Milliseconds on a slow path, each way. */
const DELAY = 15;
/** What a resume says before the first packets, in bytes, and some of those. */
const RESUMING = 3_000;
/** Conversations at a time. */
const AT_ONCE = 4;

const words: Record<Way, string> = { up: "to", down: "from" };

interface Scenario {
  name: string;
  converse: (client: Client) => Promise<void>;
}

const scenarios: Scenario[] = [
  { name: "an exec without a terminal", converse: (client) => talkToExec(client, false) },
  { name: "an exec on a raw terminal", converse: (client) => talkToExec(client, true) },
  { name: "a forwarded connection", converse: talkToPort },
];

suite(`resume through a real engine (FAIRLEAD_SEED=${SEED})`, () => {
  const random = seeded(SEED);
  let engine: Engine;
  let agent: TestAgent;
  let peer: ChildProcess;
  let neighbour: Neighbour;

  before(async () => {
    console.log(`FAIRLEAD_SEED=${SEED} FAIRLEAD_CUTS=${CUTS}`);
    engine = await sharedEngine();
    peer = await startTalker(engine);
    agent = await startAgent({ engine });
    neighbour = await Neighbour.start(agent, TALKER);
  });

  after(async () => {
    await neighbour?.close();
    await agent?.stop();
    peer?.stdin?.end();
    await engine?.docker("rm", "--force", TALKER);
  });

  for (const { name, converse } of scenarios)
    for (const way of ["up", "down"] as const)
      test(`${name} survives an RST after any byte ${words[way]} the agent`, async () => {
        const play = (after: number) => playCut(agent, [cutAt(way, after)], converse);
        await playAll(sample(await length(agent, way, converse), random), neighbour, play);
      });

  for (const way of ["up", "down"] as const) {
    test(`a forwarded connection survives another RST ${words[way]} the agent while it resumes`, async () => {
      const again = () => cutAt(way, Math.floor(random() * RESUMING));
      const play = (after: number) => playCut(agent, [cutAt(way, after), again()], talkToPort);
      await playAll(sample(await length(agent, way, talkToPort), random), neighbour, play);
    });

    test(`a forwarded connection survives an RST ${words[way]} the agent with much of it under way`, async () => {
      const slow = { delay: DELAY };
      const play = (after: number) => playCut(agent, [{ ...cutAt(way, after), ...slow }, slow], talkToPort);
      const offsets = sample(await length(agent, way, talkToPort), random);
      await playAll(
        offsets.filter((_, i) => i % SLOW_SHARE === 0),
        neighbour,
        play,
      );
    });
  }

  test("nothing is left of all these sessions, and the neighbour noticed nothing", async () => {
    await neighbour.stop();
    await carries(agent, 0);
  });
});

/** Bytes that a conversation needs in this direction. */
async function length(agent: TestAgent, way: Way, converse: Scenario["converse"]): Promise<number> {
  return (await playCut(agent, [], converse)).carried[way];
}

/** One offset in each of so many equal stretches. */
function sample(bytes: number, random: () => number): number[] {
  const count = Math.ceil(CUTS / TESTS);
  return Array.from({ length: count }, (_, i) => Math.floor(((i + random()) / count) * bytes));
}

/** Plays every offset while the neighbour's bytes are compared. */
async function playAll(
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
  assert.ok(cuts >= offsets.length * 0.95, `only ${cuts} of ${offsets.length} conversations were cut`);
}

function cutAt(way: Way, after: number): Spoiling {
  return { cut: { way, after, by: "reset" } };
}

/** The first connections are spoiled; the client finds its way back through the same port by itself. Gives the first one. */
async function playCut(
  agent: TestAgent,
  connections: Spoiling[],
  converse: Scenario["converse"],
): Promise<ProxiedConnection> {
  await using proxy = await Proxy.start({ port: portOf(agent), connections });
  const client = connectTo(agent, { port: proxy.port });
  try {
    await converse(client);
    return proxy.connections[0] ?? assert.fail("nobody connected");
  } finally {
    await client.close();
    await Promise.all(proxy.connections.map(({ over }) => over));
  }
}
