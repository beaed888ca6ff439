/** Copies at the desk: what is told and checked before anything reaches the engine. */

import assert from "node:assert/strict";
import { createCipheriv, createHash } from "node:crypto";
import { test } from "node:test";
import type { CopySink } from "../../../src/agent/runtime/runtime.ts";
import type { Packet } from "../../../src/protocol/packet.ts";
import type { RemoteSession } from "../../../src/client/session.ts";
import { startDesk } from "../../support/desk.ts";

const PLACE = { kind: "directory", name: "srv", size: 0 } as const;

/** An engine that takes everything, and what it got. */
function sink() {
  const taken: Uint8Array[] = [];
  const ends: string[] = [];
  const made: CopySink = {
    place: PLACE,
    write: async (bytes) => void taken.push(bytes.slice()),
    finish: async () => void ends.push("finished"),
    close: () => void ends.push("closed"),
  };
  return { made, ends, text: () => Buffer.concat(taken).toString("latin1") };
}

async function rest(session: RemoteSession): Promise<Packet[]> {
  const packets: Packet[] = [];
  for await (const packet of session.packets()) packets.push(packet);
  return packets;
}

test("a copy into a container tells what is there, takes the archive, and answers with its digest", async () => {
  const { made, ends, text } = sink();
  const desk = await startDesk({ copyIn: () => made });
  const session = await desk.client().copyIn("web", { path: "/srv" });
  assert.deepEqual((await session.opened).place, PLACE);
  for (const words of ["an arch", "ive"]) await session.send({ type: "stdin", bytes: Buffer.from(words) });
  await session.send({ type: "end" });
  const sha256 = createHash("sha256").update("an archive").digest("hex");
  assert.deepEqual(await rest(session), [
    { type: "digest", digest: { bytes: 10, sha256 } },
    { type: "exit", status: { code: 0 } },
  ]);
  assert.equal(text(), "an archive");
  assert.deepEqual(ends, ["finished", "closed"]);
  await desk.close();
});

test("a copy whose client gives a key is compared by the GMAC under it, however it was cut in pieces", async () => {
  const { made } = sink();
  const desk = await startDesk({ copyIn: () => made });
  // Test case 1 of the specification of GCM: nothing at all.
  const key = "00000000000000000000000000000000";
  const empty = await desk.client().copyIn("web", { path: "/srv", gmac: key });
  await empty.send({ type: "end" });
  assert.deepEqual((await rest(empty))[0], {
    type: "digest",
    digest: { bytes: 0, gmac: "58e2fccefa7e3061367f1d57a4e7455a" },
  });
  const session = await desk.client().copyIn("web", { path: "/srv", gmac: key });
  for (const words of ["an ", "archive"]) await session.send({ type: "stdin", bytes: Buffer.from(words) });
  await session.send({ type: "end" });
  const whole = createCipheriv("aes-128-gcm", Buffer.alloc(16), Buffer.alloc(12)).setAAD(Buffer.from("an archive"));
  whole.final();
  const gmac = whole.getAuthTag().toString("hex");
  assert.deepEqual((await rest(session))[0], { type: "digest", digest: { bytes: 10, gmac } });
  for (const bad of ["00", "g".repeat(32)])
    await assert.rejects(desk.client().copyIn("web", { path: "/srv", gmac: bad }), { code: "bad-request" });
  await desk.close();
});

test("a client that leaves before the end leaves an archive that the engine does not take for whole", async () => {
  const { made, ends } = sink();
  const desk = await startDesk({ copyIn: () => made });
  const session = await desk.client().copyIn("web", { path: "/srv" });
  await session.send({ type: "stdin", bytes: Buffer.from("half") });
  await session.close();
  await desk.close();
  assert.deepEqual(ends, ["closed"]);
});

const COMPRESSED: Record<string, number[]> = {
  gzip: [0x1f, 0x8b, 8],
  bzip2: [0x42, 0x5a, 0x68, 0x39],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0],
  Zstandard: [0x28, 0xb5, 0x2f, 0xfd],
  "a skippable frame": [0x5a, 0x2a, 0x4d, 0x18],
};

for (const [what, bytes] of Object.entries(COMPRESSED))
  test(`an archive that begins like ${what} never reaches the engine whole, not even byte by byte (CVE-2026-41567)`, async () => {
    const { made, ends, text } = sink();
    const desk = await startDesk({ copyIn: () => made });
    const session = await desk.client().copyIn("web", { path: "/srv" });
    for (const byte of bytes) await session.send({ type: "stdin", bytes: Uint8Array.of(byte) }).catch(() => {});
    await assert.rejects(rest(session), { code: "bad-request", message: /compressed/ });
    await desk.close();
    assert.ok(text().length < bytes.length);
    assert.deepEqual(ends, ["closed"]);
  });
