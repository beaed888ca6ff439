/** Clients that stop reading a firehose through a server: its memory is bounded, and a neighbour loses no byte and hardly any time. */

import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { median } from "../bench/statistics.ts";
import type { RemoteSession } from "../../src/client/session.ts";
import { connectTo, portOf } from "../fault/stage.ts";
import { echo, flood } from "../support/far-end.ts";
import { joinDesk } from "../support/line.ts";
import { Proxy } from "../support/proxy.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { settled } from "../support/until.ts";
import { usageOf } from "./usage.ts";

const NODE = { node: "box" };
const FIREHOSE = 80;
const ECHO = 7;
/** Half of them answer pings and do not read their session; of the others nothing is taken from the wire. */
const STALLED = 16;
const ENDLESS = Number.MAX_SAFE_INTEGER;
/** What the server may take up for all of them: a window of 1 MiB and what is handed to each socket make 20 MiB, the rest is garbage. */
const LIMIT = 96 * 1_048_576;
const STROKES = 200;
/** How much longer a stroke may take, and what a busy machine may add, in milliseconds. */
const TIMES = 3;
const SLACK_MS = 50;

suite("clients of a server that stop reading", () => {
  let server: TestServer;
  let desk: Awaited<ReturnType<typeof joinDesk>>;
  let produced = 0;
  before(async () => {
    server = await startServer();
    const note = (bytes: number) => (produced += bytes);
    desk = await joinDesk(server, NODE.node, { dial: (port) => (port === ECHO ? echo() : flood(ENDLESS, note)) });
  });
  after(async () => {
    await desk.close();
    await server.stop();
  });

  const dial = async (port: number, via = portOf(server)) => {
    const client = connectTo(server, { port: via });
    const session = await (await client.forward("web", { ports: [port] }, NODE)).dial(port);
    await session.opened;
    return { client, session };
  };

  test("cost it bounded memory, and a neighbour no byte and hardly any time", async (t) => {
    const neighbour = await dial(ECHO);
    const strokes = typist(neighbour.session);
    await strokes();
    const [alone, before] = [await strokes(), await usageOf(server.pid)];
    await using proxy = await Proxy.start({ port: portOf(server) });
    const stalled = await Promise.all(
      Array.from({ length: STALLED }, async (_, i) => {
        const one = await dial(FIREHOSE, i % 2 === 0 ? proxy.port : undefined);
        await one.session.packets().next();
        return one;
      }),
    );
    for (const connection of proxy.connections) connection.stall("down");
    const taken = await settled(() => produced);
    const [among, now] = [await strokes(), await usageOf(server.pid)];
    const grown = now.memory - before.memory;
    t.diagnostic(
      `${alone.toFixed(2)} ms alone, ${among.toFixed(2)} ms among them; ${(grown / 1_048_576).toFixed(0)} MiB`,
    );
    assert.ok(grown < LIMIT, `the server took ${grown} bytes for clients that do not read`);
    assert.ok(among < TIMES * alone + SLACK_MS, `a stroke takes ${among} ms instead of ${alone}`);
    assert.equal(produced, taken, "more was produced meanwhile");
    for (const connection of proxy.connections) connection.cut("reset");
    await Promise.all([neighbour, ...stalled].map(({ client }) => client.close()));
  });
});

/** Each call strikes a number of times, looks at every byte that comes back, and gives the median time in milliseconds. */
function typist(session: RemoteSession): () => Promise<number> {
  const answers = session.packets();
  const stroke = async (word: string) => {
    const began = performance.now();
    await session.send({ type: "stdin", bytes: Buffer.from(word) });
    const { value } = await answers.next();
    assert.equal(value?.type === "stdout" && Buffer.from(value.bytes).toString(), word);
    return performance.now() - began;
  };
  return async () => {
    const times: number[] = [];
    for (let i = 0; i < STROKES; i++) times.push(await stroke(`stroke ${i}`));
    return median(times);
  };
}
