/** One client that does not read harms nobody: what is kept for it is bounded, and the others go on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { echo, flood } from "../../support/far-end.ts";
import { Proxy } from "../../support/proxy.ts";
import { RelayRig } from "../../support/relay.ts";
import { settled, until } from "../../support/until.ts";

/** More than all buffers on the way could hold. */
const FLOOD = 64 * 1024 * 1024;
/** What the kernel, the sockets and the windows may keep of it. */
const KEPT = 40 * 1024 * 1024;
const ROUNDS = 50;

test("a client whose connection stalls stops its own session only", async (t) => {
  let produced = 0;
  const rig = await RelayRig.start();
  t.after(() => rig[Symbol.asyncDispose]());
  const desk = await rig.desk("box", {
    dial: (port) => (port === 80 ? flood(FLOOD, (bytes) => (produced += bytes)) : echo()),
  });
  await until("the agent's connection", () => desk.isConnected());
  await using proxy = await Proxy.start({ port: rig.port });
  const stalled = rig.client({ port: proxy.port });
  const forward = await stalled.forward("web", { ports: [80] }, { node: "box" });
  const bulk = await forward.dial(80);
  const packets = bulk.packets();
  await packets.next();
  proxy.connections[0]?.stall("down");
  await bulk.send({ type: "end" });
  const rest = drain(packets);
  const kept = await settled(() => produced);
  assert.ok(kept < KEPT, `${kept} bytes were taken for a client that does not read`);

  const other = await rig.client().forward("web", { ports: [7] }, { node: "box" });
  const line = await other.dial(7);
  const answers = line.packets();
  for (let round = 0; round < ROUNDS; round += 1) {
    await line.send({ type: "stdin", bytes: Buffer.from(`${round}`) });
    const { value } = await answers.next();
    assert.equal(value && "bytes" in value && Buffer.from(value.bytes).toString(), `${round}`);
  }
  assert.equal(produced, kept, "more was produced meanwhile");

  proxy.connections[0]?.resume("down");
  await rest;
  assert.equal(produced, FLOOD);
  await stalled.close();
  await until("giving the memory back", () => rig.used === 0);
});

async function drain(packets: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of packets);
}
