/**
 * Cuts a connection everywhere, either way, and compares every byte that arrives. A message arrives whole or not at
 * all, so all offsets inside one message are the same cut: the test takes the first and the last of each. With
 * FAIRLEAD_EVERY_OFFSET=1 it takes every single one, which needs half an hour.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Duplex } from "node:stream";
import { test } from "node:test";
import type { RemoteSession } from "../../../src/client/session.ts";
import type { ExitStatus } from "../../../src/protocol/packet.ts";
import { startDesk } from "../../support/desk.ts";
import type { Script } from "../../support/scripted-runtime.ts";
import type { CutAt } from "../../support/transport-pair.ts";

/** What goes each way in one run. */
const BYTES = 65_536;
/** Pieces of uneven length, so that cuts fall everywhere in a packet. */
const PIECES = [1, 700, 96, 13, 1_900, 250];
const PAYLOAD = pattern(BYTES);
const DIGEST = sha(PAYLOAD);

type Ends = { ends: { ab: number[]; ba: number[] } };

interface Scenario {
  name: string;
  /** Opens a session to something that prints the payload and counts what it reads. */
  run: (cut: CutAt) => Promise<Ends>;
}

const scenarios: Scenario[] = [
  { name: "an exec without a terminal", run: (cut) => runExec(false, cut) },
  { name: "an exec on a terminal", run: (cut) => runExec(true, cut) },
  { name: "a forwarded connection", run: runForward },
];

for (const { name, run } of scenarios)
  for (const way of ["ab", "ba"] as const)
    test(`${name} survives a cut at every byte ${way === "ab" ? "to" : "from"} the agent`, async () => {
      const { ends } = await run({});
      for (const at of offsets(ends[way])) await run({ [way]: at });
    });

function offsets(ends: number[]): number[] {
  const last = ends.at(-1) ?? 0;
  if (process.env["FAIRLEAD_EVERY_OFFSET"]) return Array.from({ length: last + 1 }, (_, at) => at);
  return ends.flatMap((end) => (end === 0 ? [0] : [end - 1, end]));
}

async function runExec(tty: boolean, cut: CutAt): Promise<Ends> {
  const desk = await startDesk({ exec: speak });
  const client = desk.client([cut]);
  try {
    const session = await open(() =>
      client.exec("web", { command: ["x"], tty, stdin: true }, { onDrop: "keep", grace: 5_000 }),
    );
    const status = await converse(session);
    const [script] = desk.runtime.scripts.slice(-1);
    assert.deepEqual(status, { code: 42 });
    assert.equal(sha(Buffer.concat(script?.stdin ?? [])), DIGEST);
    assert.deepEqual(script?.signals, ["USR1"]);
    return client.pairs[0] ?? assert.fail("never connected");
  } finally {
    await client.close();
    await desk.close();
  }
}

async function runForward(cut: CutAt): Promise<Ends> {
  const read: Buffer[] = [];
  const desk = await startDesk({ dial: () => speaker(read) });
  const client = desk.client([cut]);
  try {
    const forward = await open(() => client.forward("web", { ports: [80] }, { grace: 5_000 }));
    const session = await forward.dial(80);
    await session.opened.catch(() => {});
    const opened = await session.opened.then(
      () => true,
      () => false,
    );
    if (opened) {
      assert.deepEqual(await converse(session), { code: 0 });
      assert.equal(sha(Buffer.concat(read)), DIGEST);
    }
    return client.pairs[0] ?? assert.fail("never connected");
  } finally {
    await client.close();
    await desk.close();
  }
}

/** A cut before the agent's answer is the caller's to repeat: nobody knows whether the command ran. */
async function open<T>(attempt: () => Promise<T>): Promise<T> {
  return attempt().catch(attempt);
}

/** Sends the payload, a signal where there is a process, and the end; compares what comes back. */
async function converse(session: RemoteSession): Promise<ExitStatus | undefined> {
  const digest = createHash("sha256");
  const sending = send(session);
  let status: ExitStatus | undefined;
  for await (const packet of session.packets()) {
    if (packet.type === "stdout") digest.update(packet.bytes);
    else if (packet.type === "exit") status = packet.status;
    else assert.equal(packet.type, "end");
  }
  await sending;
  assert.equal(digest.digest("hex"), DIGEST);
  return status;
}

async function send(session: RemoteSession): Promise<void> {
  for (const bytes of pieces()) await session.send({ type: "stdin", bytes });
  if (session.tty !== undefined) await session.send({ type: "signal", name: "USR1" });
  await session.send({ type: "end" });
}

async function speak(script: Script): Promise<ExitStatus> {
  for (const bytes of pieces()) await script.print(bytes);
  await script.ended;
  return { code: 42 };
}

/** A connection that says the payload and ends, and keeps what it is told. */
function speaker(read: Buffer[]): Duplex {
  const waiting = [...pieces()];
  return new Duplex({
    allowHalfOpen: true,
    read() {
      this.push(waiting.shift() ?? null);
    },
    write(bytes: Buffer, _encoding, done) {
      read.push(Buffer.from(bytes));
      done();
    },
  });
}

function* pieces(): Generator<Buffer> {
  for (let at = 0, i = 0; at < BYTES; i += 1) {
    const length = PIECES[i % PIECES.length] ?? 1;
    yield PAYLOAD.subarray(at, at + length);
    at += length;
  }
}

/** Every position is told by its bytes, so that a lost, repeated or moved one shows. */
function pattern(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i + 4 <= length; i += 4) bytes.writeUInt32BE((i * 2_654_435_761) >>> 0, i);
  return bytes;
}

function sha(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
