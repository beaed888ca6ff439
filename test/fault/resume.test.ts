/**
 * Cuts connections between a client and the real agent, in front of a real engine, by RST at sampled bytes either way,
 * and compares every byte that arrives. FAIRLEAD_SEED repeats a run, FAIRLEAD_CUTS asks for another number of cuts.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Client } from "../../src/client/client.ts";
import type { RemoteSession } from "../../src/client/session.ts";
import type { ExitStatus } from "../../src/protocol/packet.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { type ProxiedConnection, Proxy, type Spoiling, type Way } from "../support/proxy.ts";
import { Neighbour } from "./neighbour.ts";
import { pattern, seeded, sha256 } from "./pattern.ts";
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
/** What goes each way in one conversation. */
const BYTES = 65_536;
const PAYLOAD = pattern(BYTES);
const DIGEST = sha256(PAYLOAD);
/** Pieces of uneven length, so that cuts fall everywhere in a packet. */
const PIECES = [1, 7_000, 96, 13, 1_900, 2_500];
const CONTAINER = "fault-resume";
const PORT = 7070;
/** Milliseconds; a session whose opening was cut waits that long for nobody. */
const GRACE = 10_000;

/**
 * Speaks and listens at the same time, then tells what it heard and how often it was signalled. Only the shell is told
 * of a signal, and only while it waits, so that each one counts; what reads and writes ignores it from its birth.
 */
const SCRIPT = `
  exec 3<&0; trap '' USR1
  ( read go <&3; cat /payload & head -c ${BYTES} <&3 | sha256sum > /tmp/heard.$$; wait ) &
  signals=0; trap 'signals=$((signals+1))' USR1
  [ "$1" = tty ] && stty raw -echo
  echo ready
  while kill -0 $! 2>/dev/null; do wait $!; done
  cat /tmp/heard.$$; rm /tmp/heard.$$
  echo "signals $signals"; exit 42`;
const READY = "ready\n";

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
    await engine.run(CONTAINER);
    await provide(engine, PAYLOAD);
    peer = await listenInside(engine);
    agent = await startAgent({ engine });
    neighbour = await Neighbour.start(agent, CONTAINER);
  });

  after(async () => {
    await neighbour?.close();
    await agent?.stop();
    peer?.stdin?.end();
    await engine?.docker("rm", "--force", CONTAINER);
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

async function talkToExec(client: Client, tty: boolean): Promise<void> {
  const command = ["sh", "-c", SCRIPT, "sh", tty ? "tty" : "pipe"];
  const session = await again(() =>
    client.exec(CONTAINER, { command, tty, stdin: true }, { onDrop: "keep", grace: GRACE }),
  );
  const said = await converse(session, { isProcess: true });
  assert.deepEqual(said.status, { code: 42 });
  assert.ok(said.bytes.subarray(0, BYTES).equals(PAYLOAD), "the output was changed");
  assert.equal(said.bytes.subarray(BYTES).toString(), `${DIGEST}  -\nsignals 1\n`);
}

async function talkToPort(client: Client): Promise<void> {
  const forward = await again(() => client.forward(CONTAINER, { ports: [PORT] }, { grace: GRACE }));
  const session = await again(async () => {
    const dialled = await forward.dial(PORT);
    await dialled.opened;
    return dialled;
  });
  const said = await converse(session, { isProcess: false });
  assert.deepEqual(said.status, { code: 0 });
  assert.ok(said.bytes.subarray(0, BYTES).equals(PAYLOAD), "what came back was changed");
  assert.equal(said.bytes.subarray(BYTES).toString(), DIGEST);
}

/** A cut before the agent's answer is the caller's to repeat: nobody knows whether the command ran. */
function again<T>(attempt: () => Promise<T>): Promise<T> {
  return attempt().catch(attempt).catch(attempt);
}

/** Says the payload while it listens; to a process once it is ready, with a signal in the middle. */
async function converse(
  session: RemoteSession,
  { isProcess }: { isProcess: boolean },
): Promise<{ bytes: Buffer; status: ExitStatus | undefined }> {
  const heard: Uint8Array[] = [];
  let speaking = isProcess ? undefined : speakToPort(session);
  let status: ExitStatus | undefined;
  for await (const packet of session.packets()) {
    if (packet.type === "stdout") heard.push(packet.bytes.slice());
    else if (packet.type === "exit") status = packet.status;
    else assert.deepEqual(packet, { type: "end" });
    if (!speaking && Buffer.concat(heard).toString() === READY) speaking = speakToProcess(session);
  }
  await speaking;
  return { bytes: Buffer.concat(heard).subarray(isProcess ? READY.length : 0), status };
}

async function speakToPort(session: RemoteSession): Promise<void> {
  await say(session, PAYLOAD);
  await session.send({ type: "end" });
}

async function speakToProcess(session: RemoteSession): Promise<void> {
  await session.send({ type: "stdin", bytes: Buffer.from("go\n") });
  await say(session, PAYLOAD.subarray(0, BYTES / 2));
  await session.send({ type: "signal", name: "USR1" });
  await say(session, PAYLOAD.subarray(BYTES / 2));
  if (!session.tty) await session.send({ type: "end" });
}

async function say(session: RemoteSession, bytes: Buffer): Promise<void> {
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const length = PIECES[i % PIECES.length] ?? 1;
    await session.send({ type: "stdin", bytes: bytes.subarray(at, at + length) });
    at += length;
  }
}

/** As /payload in the container. */
async function provide(engine: Engine, bytes: Buffer): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), "fl-resume-"));
  await writeFile(join(place, "payload"), bytes);
  await engine.docker("cp", join(place, "payload"), `${CONTAINER}:/payload`);
  await rm(place, { recursive: true });
}

/** This machine's Node in the container's network: the image has none. */
async function listenInside(engine: Engine): Promise<ChildProcess> {
  const pid = await engine.docker("inspect", "--format", "{{.State.Pid}}", CONTAINER);
  const program = fileURLToPath(new URL("container/peer.ts", import.meta.url));
  const command = [process.execPath, program, String(PORT), String(BYTES)];
  const child = spawn("nsenter", ["--target", pid, "--net", ...command], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}
