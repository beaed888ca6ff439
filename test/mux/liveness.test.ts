/** When a connection is asked whether it still lives, and how long its round trip is. */

import assert from "node:assert/strict";
import { setImmediate as settle } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { Budget } from "../../src/mux/budget.ts";
import type { ChannelEvents } from "../../src/mux/channel.ts";
import { HEADER_BYTES } from "../../src/mux/frame.ts";
import { Mux } from "../../src/mux/mux.ts";
import { CLOSE } from "../../src/mux/errors.ts";
import { Liveness } from "../../src/mux/liveness.ts";
import type { Transport } from "../../src/mux/transport.ts";
import { transportPair } from "../support/transport-pair.ts";

const NOTHING = new Uint8Array(0);
const SECOND = 1_000;
/** The first byte of a PING (SPEC.md). */
const PING = 0x07;
const SILENT: ChannelEvents = { message() {}, credit() {}, ack() {}, reply() {}, close() {} };

/** Two ends that know their round trip already; `pings` counts what the listener has asked, `first` at the start. Time passes by hand. */
async function scene(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { a, b } = transportPair();
  let asked = 0;
  const counted: Transport = {
    buffered: 0,
    start: (events) => b.start(events),
    close: (code, reason) => b.close(code, reason),
    send: (frame) => {
      if (frame[0] === PING) asked += 1;
      b.send(frame);
    },
  };
  const common = { software: "test", budget: new Budget(0) };
  const accept: NonNullable<ConstructorParameters<typeof Mux>[1]["accept"]> = (channel) => channel.start(SILENT);
  const listener = new Mux(counted, { role: "listener", ...common, accept });
  const dialler = new Mux(a, { role: "dialler", ...common });
  t.after(() => listener.close(1000, "the test is over"));
  await settle();
  const first = asked;
  const pings = async (seconds: number) => {
    const before = asked;
    for (let i = 0; i < seconds; i++) {
      t.mock.timers.tick(SECOND);
      await settle();
    }
    return asked - before;
  };
  return { dialler, first, pings };
}

test("at the start a connection is asked until the programs answer as fast as they can, and not for ever", async (t) => {
  const { first } = await scene(t);
  assert.ok(first >= 20 && first <= 30, `${first} times`);
});

test("a quiet connection is not asked every second: an answer is no reason to ask again", async (t) => {
  const { pings } = await scene(t);
  await pings(2);
  assert.equal(await pings(10), 0);
});

test("while messages come the round trip is measured once a second", async (t) => {
  const { dialler, pings } = await scene(t);
  const channel = dialler.open({ header: NOTHING, body: NOTHING });
  channel.start(SILENT);
  await pings(2);
  for (let i = 0; i < 3; i++) {
    channel.post(new Uint8Array(HEADER_BYTES + 1));
    await settle();
    assert.equal(await pings(1), 1);
  }
  assert.equal(await pings(5), 0);
});

/** One side's look at the other, with a clock of its own. */
function watched(t: TestContext) {
  let clock = 0;
  t.mock.method(performance, "now", () => clock);
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const ends: [code: number, reason: string][] = [];
  const liveness = new Liveness({ ping() {}, close: (code, reason) => void ends.push([code, reason]) });
  const pass = (seconds: number) => {
    for (let i = 0; i < seconds; i++) {
      clock += SECOND;
      t.mock.timers.tick(SECOND);
    }
  };
  return { liveness, ends, pass };
}

test("who says nothing for 45 s is gone, and any frame begins them anew", (t) => {
  const { liveness, ends, pass } = watched(t);
  liveness.greeted();
  pass(45);
  liveness.hear();
  pass(45);
  assert.deepEqual(ends, []);
  pass(10);
  assert.deepEqual(ends, [[CLOSE.dead, "nothing heard for 46 s"]]);
});

test("who does not greet within 10 s is not waited for", (t) => {
  const { ends, pass } = watched(t);
  pass(10);
  assert.deepEqual(ends, []);
  pass(10);
  assert.deepEqual(ends, [[CLOSE.protocol, "no HELLO in time"]]);
});
