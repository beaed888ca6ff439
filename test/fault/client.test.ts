/** Clients that vanish or stop reading: what they held is let go of, what they are owed is bounded, and nobody else notices. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { suite, test } from "node:test";
import type { RemoteSession } from "../../src/client/session.ts";
import { Proxy } from "../support/proxy.ts";
import { until } from "../support/until.ts";
import { closeAll, type Kind, KINDS, MAIN, openAll, openLive } from "./kinds.ts";
import { Scene } from "./scene.ts";
import { carries, connectTo, metric, portOf } from "./stage.ts";

const WEB = "fault-client-web";
const TALKER = "fault-client-talker";
/** Milliseconds; as the agent is told. */
const GRACE = 1_000;
/** Numbers that a flood counts up to, and how many bytes that makes with their newlines. */
const COUNT = 3_000_000;
const COUNT_BYTES = 22_888_896;
/** What the agent may grow by for one client that does not read: two windows of 16 MiB, and room for chance. */
const MAX_GROWTH = 64 * 1024 * 1024;

const scene = Scene.forThisFile({
  neighbour: "fault-client-neighbour",
  containers: { [WEB]: { command: MAIN } },
  flags: ["--grace", `${GRACE}ms`],
});

suite("a client that vanishes", () => {
  for (const by of ["reset", "end"] as const)
    test(`by ${by === "reset" ? "RST" : "FIN"} leaves no session of any kind after the grace, and nothing in the container`, async () => {
      const before = await population();
      await using proxy = await Proxy.start({ port: portOf(scene.agent) });
      const client = connectTo(scene.agent, { port: proxy.port });
      await openAll(client, WEB);
      await scene.neighbour.pulse();
      assert.ok((await population()) > before);
      proxy.connections[0]?.cut(by);
      await client.close();
      await carries(scene.agent, 1);
      await until("the container being as before", async () => (await population()) === before);
    });

  test("by half a FIN, and would still listen, is gone as well", async () => {
    await using proxy = await Proxy.start({ port: portOf(scene.agent) });
    const client = connectTo(scene.agent, { port: proxy.port });
    const session = await client.exec(WEB, { command: ["sleep", "1000"], tty: false, stdin: false });
    proxy.connections[0]?.endWay("up");
    assert.ok((await session.ended) instanceof Error);
    await carries(scene.agent, 1);
    await client.close();
  });

  test("in the middle of opening leaves nothing either", async () => {
    for (let bytes = 600; bytes < 1_200; bytes += 60) {
      const cut = { way: "up", after: bytes, by: "reset" } as const;
      await using proxy = await Proxy.start({ port: portOf(scene.agent), connections: [{ cut }] });
      const client = connectTo(scene.agent, { port: proxy.port });
      await openAll(client, WEB).catch(() => {});
      await client.close();
    }
  });
});

suite("a client that stops reading", () => {
  test("costs little memory, harms nobody, and gets every byte when it reads again", async () => {
    await using proxy = await Proxy.start({ port: portOf(scene.agent) });
    const client = connectTo(scene.agent, { port: proxy.port });
    const session = await client.exec(WEB, { command: ["seq", String(COUNT)], tty: false, stdin: false });
    proxy.connections[0]?.stall("down");
    const reading = digest(session);
    const before = await metric(scene.agent, "process_resident_memory_bytes");
    await settled(() => metric(scene.agent, "process_cpu_seconds_total"));
    for (let i = 0; i < 10; i += 1) await scene.neighbour.pulse();
    const grown = (await metric(scene.agent, "process_resident_memory_bytes")) - before;
    assert.ok(grown < MAX_GROWTH, `the agent grew by ${grown} bytes`);
    proxy.connections[0]?.resume("down");
    assert.deepEqual(await reading, { bytes: COUNT_BYTES, sha256: await counted() });
    await client.close();
  });

  test("an attach does not stop its container, and is told exactly how much it missed", async () => {
    const script = `read go; seq ${COUNT}; touch /finished; sleep 1000`;
    await scene.engine.run(TALKER, { command: ["sh", "-c", script], args: ["--interactive"] });
    await using proxy = await Proxy.start({ port: portOf(scene.agent) });
    const slow = connectTo(scene.agent, { port: proxy.port });
    const body = { stdin: true, stdout: true, stderr: true };
    const session = await slow.attach(TALKER, body);
    proxy.connections[0]?.stall("down");
    await session.send({ type: "stdin", bytes: Buffer.from("go\n") });
    await until("the container finishing", () =>
      scene.engine.docker("exec", TALKER, "test", "-e", "/finished").then(
        () => true,
        () => false,
      ),
    );
    await scene.neighbour.pulse();
    proxy.connections[0]?.resume("down");
    assert.equal(await accountedFor(session), COUNT_BYTES);
    await slow.close();
    await scene.engine.docker("rm", "--force", TALKER);
  });

  test("one kind after the other, leaves the other kinds on another connection as quick as before", async () => {
    const quick = connectTo(scene.agent);
    for (const kind of KINDS.filter((it): it is Exclude<Kind, "attach"> => it !== "attach")) {
      await using proxy = await Proxy.start({ port: portOf(scene.agent) });
      const slow = connectTo(scene.agent, { port: proxy.port });
      await openLive(slow, WEB, kind);
      proxy.connections[0]?.stall("down");
      const all = await openAll(quick, WEB);
      for (const live of all) await live.answers();
      await closeAll(all);
      proxy.connections[0]?.resume("down");
      await slow.close();
    }
    await quick.close();
  });
});

/** Processes in the container, its own included. */
async function population(): Promise<number> {
  return (await scene.engine.docker("top", WEB, "-eo", "pid")).split("\n").length;
}

async function digest(session: RemoteSession): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const packet of session.packets()) {
    if (packet.type !== "stdout") continue;
    hash.update(packet.bytes);
    bytes += packet.bytes.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

/** What `seq` prints, as the container itself hashes it. */
async function counted(): Promise<string> {
  const line = await scene.engine.docker("exec", WEB, "sh", "-c", `seq ${COUNT} | sha256sum`);
  return line.split(" ")[0] ?? "";
}

/** Bytes that came and bytes that are told to be missing, until both make the whole. */
async function accountedFor(session: RemoteSession): Promise<number> {
  let bytes = 0;
  let gaps = 0;
  for await (const packet of session.packets()) {
    if (packet.type === "stdout") bytes += packet.bytes.length;
    if (packet.type === "gap") gaps += packet.gap.bytes ?? 0;
    if (bytes + gaps >= COUNT_BYTES) break;
  }
  assert.ok(gaps > 0, "a reader that was stalled for so long missed something");
  return bytes + gaps;
}

/** Resolves once two looks in a row give nearly the same: the agent has nothing left to do. */
async function settled(look: () => Promise<number>): Promise<void> {
  let last = await look();
  await until("the agent resting", async () => {
    const now = await look();
    const rests = now - last < 0.02;
    last = now;
    return rests;
  });
}
