/**
 * Cuts connections between a client and the server, behind which are a real agent and a real engine, by RST at sampled bytes
 * either way, and compares every byte that arrives. FAIRLEAD_SEED repeats a run, FAIRLEAD_RELAY_CUTS asks for more cuts.
 */

import type { ChildProcess } from "node:child_process";
import { after, before, suite, test } from "node:test";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";
import { startTalker, TALKER, talkToExec, talkToPort } from "./conversation.ts";
import { type Converse, cutAt, length, playAll, playCut, sample } from "./cuts.ts";
import { Neighbour } from "./neighbour.ts";
import { seeded } from "./pattern.ts";
import { carries } from "./stage.ts";

const CUTS = Number(process.env["FAIRLEAD_RELAY_CUTS"] ?? 48);
const SEED = Number(process.env["FAIRLEAD_SEED"] ?? Date.now() % 1_000_000);
/** The file's tests that share the cuts. */
const TESTS = 6;
const NODE = { node: "box" };

const SCENARIOS: { name: string; converse: Converse }[] = [
  { name: "an exec without a terminal", converse: (client) => talkToExec(client, { tty: false, ...NODE }) },
  { name: "an exec on a raw terminal", converse: (client) => talkToExec(client, { tty: true, ...NODE }) },
  { name: "a forwarded connection", converse: (client) => talkToPort(client, NODE) },
];

suite(`resume through a server and a real engine (FAIRLEAD_SEED=${SEED})`, () => {
  const random = seeded(SEED);
  let engine: Engine;
  let server: TestServer;
  let agent: TestAgent;
  let peer: ChildProcess;
  let neighbour: Neighbour;

  before(async () => {
    engine = await sharedEngine();
    peer = await startTalker(engine);
    server = await startServer();
    const { token } = await server.post<{ token: string }>("/api/v1/nodes", { name: NODE.node });
    agent = await startAgent({ engine, flags: ["-S", server.url, "--token", token] });
    neighbour = await Neighbour.start(agent, TALKER);
    await until("the agent behind its server", async () => {
      return (await server.fetch(`/api/v1/nodes/${NODE.node}/containers`)).ok;
    });
  });

  after(async () => {
    await neighbour?.close();
    await agent?.stop();
    await server?.stop();
    peer?.stdin?.end();
    await engine?.docker("rm", "--force", TALKER);
  });

  for (const { name, converse } of SCENARIOS)
    for (const way of ["up", "down"] as const)
      test(`${name} survives an RST after any byte ${way === "up" ? "to" : "from"} the server`, async () => {
        const play = (after: number) => playCut(server, [cutAt(way, after)], converse);
        const offsets = sample(await length(server, way, converse), Math.ceil(CUTS / TESTS), random);
        await playAll(offsets, neighbour, play);
      });

  test("nothing is left of all these sessions, and the neighbour noticed nothing", async () => {
    await neighbour.stop();
    await carries(agent, 0);
  });
});
