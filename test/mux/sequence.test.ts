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

/** A sequence whose other end has given so much credit, and the lengths of the payloads that it then puts on its channel. */
function open(budget: Budget, credit: number) {
  const channel = new Channel(2, request, { host, window: new ReceiveWindow(budget, { rtt: 1, shared: false }) });
  const sequence = new Sequence({ budget });
  sequence.attach(channel, 0);
  channel.receiveCredit(credit);
  const lengths = () => {
    const all: number[] = [];
    for (let frame = channel.next(); frame; frame = channel.next()) all.push(frame.length - HEADER_BYTES - 1);
    return all;
  };
  return { sequence, lengths };
}

test("where there is much credit the pieces of a long payload grow with the replay, to 120 KiB and no further", async () => {
  const { sequence, lengths } = open(new Budget(1e9), 1e6);
  await sequence.send(2, new Uint8Array(32_768 + 65_536 + 3 * 122_880));
  assert.deepEqual(lengths(), [32_768, 65_536, 122_880, 122_880, 122_880]);
});

test("packets that are short take no memory for longer ones, however much credit there is", async () => {
  const budget = new Budget(1e9);
  const { sequence, lengths } = open(budget, 1e6);
  for (let i = 0; i < 60; i += 1) await sequence.send(2, new Uint8Array(1_000));
  assert.equal(lengths().length, 60);
  assert.equal(budget.used, 0);
});

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
