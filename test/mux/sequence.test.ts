/** One end of a sequence alone: what waits for room keeps its place. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget } from "../../src/mux/budget.ts";
import { Channel } from "../../src/mux/channel.ts";
import { HEADER_BYTES, INITIAL_WINDOW } from "../../src/mux/frame.ts";
import { Sequence } from "../../src/mux/sequence.ts";
import { ReceiveWindow } from "../../src/mux/window.ts";

const host = { wake() {}, release() {} };
const request = { header: new Uint8Array(0), body: new Uint8Array(0) };

test("packets leave in the order of the calls, also when one of them waited for room and got it just before the next call", async () => {
  const budget = new Budget(1e9);
  const channel = new Channel(2, request, { host, window: new ReceiveWindow(budget, { rtt: 1, shared: false }) });
  const sequence = new Sequence({ budget });
  sequence.attach(channel, 0);
  void sequence.send(1, new Uint8Array(INITIAL_WINDOW));
  const long = sequence.send(2, new Uint8Array(3 * INITIAL_WINDOW));
  channel.receiveCredit(1e6);
  const short = sequence.send(3, new Uint8Array(0));
  await Promise.all([long, short]);
  const tags: number[] = [];
  for (let frame = channel.next(); frame; frame = channel.next()) tags.push(frame[HEADER_BYTES] ?? 0);
  assert.deepEqual(
    tags,
    tags.toSorted((a, b) => a - b),
  );
  assert.equal(tags.at(-1), 3);
});
