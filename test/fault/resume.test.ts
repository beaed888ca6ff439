/**
 * Cuts connections between a client and the real agent, in front of a real engine, by RST at sampled bytes either way,
 * and compares every byte that arrives. FAIRLEAD_SEED repeats a run, FAIRLEAD_CUTS asks for another number of cuts.
 */

import type { ChildProcess } from "node:child_process";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import type { Way } from "../support/proxy.ts";
import { startTalker, TALKER, talkToExec, talkToPort } from "./conversation.ts";
import { type Converse, cutAt, length, playAll, playCut, sample } from "./cuts.ts";
import { Neighbour } from "./neighbour.ts";
import { seeded } from "./pattern.ts";
import { carries } from "./stage.ts";

/** All cuts of this file together. */
const CUTS = Number(process.env["FAIRLEAD_CUTS"] ?? 2_000);
const SEED = Number(process.env["FAIRLEAD_SEED"] ?? Date.now() % 1_000_000);
/** The file's tests that share the cuts, and of how many of its share a slow one plays one. */
const TESTS = 8;
const SLOW_SHARE = 5;
const SHARE = Math.ceil(CUTS / TESTS);
/** Milliseconds on a slow path, each way. */
const DELAY = 15;
/** What a resume says before the first packets, in bytes, and some of those. */
const RESUMING = 3_000;
const words: Record<Way, string> = { up: "to", down: "from" };

interface Scenario {
  name: string;
  converse: Converse;
}

const toPort: Converse = (client) => talkToPort(client);

const scenarios: Scenario[] = [
  { name: "an exec without a terminal", converse: (client) => talkToExec(client, { tty: false }) },
  { name: "an exec on a raw terminal", converse: (client) => talkToExec(client, { tty: true }) },
  { name: "a forwarded connection", converse: toPort },
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
        await playAll(sample(await length(agent, way, converse), SHARE, random), neighbour, play);
      });

  for (const way of ["up", "down"] as const) {
    test(`a forwarded connection survives another RST ${words[way]} the agent while it resumes`, async () => {
      const again = () => cutAt(way, Math.floor(random() * RESUMING));
      const play = (after: number) => playCut(agent, [cutAt(way, after), again()], toPort);
      await playAll(sample(await length(agent, way, toPort), SHARE, random), neighbour, play);
    });

    test(`a forwarded connection survives an RST ${words[way]} the agent with much of it under way`, async () => {
      const slow = { delay: DELAY };
      const play = (after: number) => playCut(agent, [{ ...cutAt(way, after), ...slow }, slow], toPort);
      const offsets = sample(await length(agent, way, toPort), SHARE, random);
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
