/**
 * Cuts both hops of a relayed session by RST at sampled bytes either way, kills the relay under it, and compares every
 * byte that arrives. FAIRLEAD_SEED repeats a run, FAIRLEAD_RELAY_CUTS asks for another number of cuts.
 */

import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { suite, test } from "node:test";
import type { Client } from "../../../src/client/client.ts";
import type { RemoteSession } from "../../../src/client/session.ts";
import { pattern, seeded, sha256 } from "../../fault/pattern.ts";
import { Proxy, type Spoiling, type Way } from "../../support/proxy.ts";
import { RelayRig } from "../../support/relay.ts";
import { until } from "../../support/until.ts";

const CUTS = Number(process.env["FAIRLEAD_RELAY_CUTS"] ?? 48);
const SEED = Number(process.env["FAIRLEAD_SEED"] ?? Date.now() % 1_000_000);
const PAYLOAD = pattern(131_072);
const DIGEST = sha256(PAYLOAD);
/** Pieces of uneven length, so that cuts fall everywhere in a packet. */
const PIECES = [1, 700, 96, 13, 1_900, 250, 9_000];
const GRACE = 30_000;
/** The relay is killed whenever so many pieces were sent. */
const KILL_EVERY = 12;

type Hop = "client" | "agent";
/** Of each hop the direction away from whoever dialled. */
const ways: Way[] = ["up", "down"];

suite(`resume through a relay (FAIRLEAD_SEED=${SEED})`, () => {
  const random = seeded(SEED);

  for (const hop of ["client", "agent"] as const)
    for (const way of ways)
      test(`a session survives an RST after any byte ${way === "up" ? "to" : "from"} the relay on the ${hop}'s side`, async () => {
        const { carried } = await play({ hop });
        const count = Math.ceil(CUTS / 4);
        for (let i = 0; i < count; i += 1) {
          const after = Math.floor(((i + random()) / count) * carried[way]);
          await play({ hop, spoiling: { cut: { way, after, by: "reset" } } }).catch((cause: unknown) => {
            throw new Error(`cut after byte ${after}`, { cause });
          });
        }
      });

  test("a session survives the relay being killed and started again under it", async () => {
    await using rig = await RelayRig.start();
    const read: Buffer[] = [];
    const desk = await rig.desk("box", { dial: () => speaker(read) });
    await until("the agent's connection", () => desk.isConnected());
    const session = await dial(rig.client());
    const kill = async () => {
      await rig.kill();
      await rig.open();
    };
    await converse(session, async (part) => {
      if (part % KILL_EVERY === 0) await kill();
    });
    assert.equal(sha256(Buffer.concat(read)), DIGEST);
  });
});

/** One conversation, by way of a proxy on one of the hops; what its first connection carried. */
async function play({ hop, spoiling }: { hop: Hop; spoiling?: Spoiling }) {
  await using rig = await RelayRig.start();
  await using proxy = await Proxy.start({ port: rig.port, connections: spoiling ? [spoiling] : [] });
  const read: Buffer[] = [];
  const desk = await rig.desk("box", { dial: () => speaker(read), ...(hop === "agent" && { port: proxy.port }) });
  await until("the agent's connection", () => desk.isConnected(), { every: 2 });
  const session = await dial(rig.client(hop === "client" ? { port: proxy.port } : {}));
  await converse(session);
  assert.equal(sha256(Buffer.concat(read)), DIGEST);
  const [connection] = proxy.connections;
  return connection ?? assert.fail("nobody came through the proxy");
}

/** Until it is open: what is cut before the answer is the caller's to repeat. */
async function dial(client: Client): Promise<RemoteSession> {
  return until(
    "an open connection",
    async () => {
      try {
        const forward = await client.forward("web", { ports: [80] }, { node: "box", grace: GRACE });
        const session = await forward.dial(80);
        await session.opened;
        return session;
      } catch {
        return undefined;
      }
    },
    { every: 5 },
  );
}

/** Sends the payload and reads it, both at once; `between` is awaited before each part that is sent. */
async function converse(
  session: RemoteSession,
  between: (part: number) => Promise<void> = async () => {},
): Promise<void> {
  const received: Uint8Array[] = [];
  const sending = send(session, between);
  for await (const packet of session.packets()) if (packet.type === "stdout") received.push(packet.bytes);
  await sending;
  assert.equal(sha256(Buffer.concat(received)), DIGEST);
}

async function send(session: RemoteSession, between: (part: number) => Promise<void>): Promise<void> {
  let part = 0;
  for (const bytes of pieces()) {
    await between((part += 1));
    await session.send({ type: "stdin", bytes });
  }
  await session.send({ type: "end" });
}

function* pieces(): Generator<Uint8Array> {
  for (let at = 0, i = 0; at < PAYLOAD.length; i += 1) {
    const length = PIECES[i % PIECES.length] ?? 1;
    yield PAYLOAD.subarray(at, at + length);
    at += length;
  }
}

/** The far end of a connection: says the payload, and keeps what it hears. */
function speaker(read: Buffer[]): Duplex {
  const parts = pieces();
  return new Duplex({
    read() {
      const { value } = parts.next();
      this.push(value ?? null);
    },
    write(chunk: Buffer, _encoding, done) {
      read.push(Buffer.from(chunk));
      done();
    },
  });
}
