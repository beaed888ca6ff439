import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Budget } from "../../src/mux/budget.ts";
import { Channel } from "../../src/mux/channel.ts";
import { INITIAL_WINDOW } from "../../src/mux/frame.ts";
import { type Path, ReceiveWindow } from "../../src/mux/window.ts";

const host = { wake() {}, release() {} };
const events = { message() {}, credit() {}, ack() {}, reply() {}, close() {} };
const request = { header: new Uint8Array(0), body: new Uint8Array(0) };
/** Milliseconds over which a window measures at least once. */
const PATH = { rtt: 20, shared: false };

test("a channel that ended takes nothing more out of the shared memory, however much is read from it later", () => {
  const budget = new Budget(1e9);
  const window = new ReceiveWindow(budget, PATH);
  const channel = new Channel(1, request, { host, window });
  channel.start(events);
  const looks = consumeUntil(channel, () => budget.used > 0);
  assert.ok(budget.used > 0, "the window never grew");
  channel.receiveClose({ code: 1006, reason: "cut" });
  assert.equal(budget.used, 0);
  consumeUntil(channel, (count) => count > 2 * looks);
  assert.equal(budget.used, 0);
});

test("a channel that is started late delivers what came before, in order, once, and no more than the first credit", () => {
  const channel = new Channel(2, request, { host, window: new ReceiveWindow(new Budget(1e9), PATH) });
  const heard: number[] = [];
  const hear = ([first = 0]: Uint8Array) => void heard.push(first);
  channel.receiveMessage(Uint8Array.of(1));
  channel.receiveMessage(Uint8Array.of(2));
  channel.start({ ...events, message: hear });
  channel.receiveMessage(Uint8Array.of(3));
  channel.start({ ...events, message: hear });
  assert.deepEqual(heard, [1, 2, 3]);
  assert.equal(channel.receiveMessage(new Uint8Array(INITIAL_WINDOW)), true);
  assert.equal(channel.receiveMessage(Uint8Array.of(4)), false, "it was sent without credit");
});

test("a channel that ended before it was started keeps nothing and delivers nothing", () => {
  const channel = new Channel(2, request, { host, window: new ReceiveWindow(new Budget(1e9), PATH) });
  channel.receiveMessage(Uint8Array.of(1));
  channel.receiveClose({ code: 1006, reason: "cut" });
  assert.equal(channel.open, false);
  channel.start({ ...events, message: () => assert.fail("it has ended") });
});

test("a window is two round trips' worth of data, without what the programs' own turns take of them", (t) => {
  for (const shared of [false, true]) assert.equal(windowOf(t, { rtt: 20.1, shared }), 4_000_000);
});

test("on a short path it is a megabyte, and room for the longest packet where other channels receive too", (t) => {
  assert.equal(windowOf(t, { rtt: 0.1, shared: false }), 1_048_576);
  assert.equal(windowOf(t, { rtt: 0.1, shared: true }), 163_840);
});

test("a window that shrinks keeps the memory that the other side may still fill, until it has", (t) => {
  let clock = 0;
  t.mock.method(performance, "now", () => clock);
  const budget = new Budget(1e9);
  const window = new ReceiveWindow(budget, { rtt: 1_000, shared: false });
  let granted = INITIAL_WINDOW;
  let consumed = 0;
  const open = () => granted - consumed;
  const consume = (bytes: number) => {
    clock += 1_000;
    consumed += bytes;
    granted = window.consume(bytes) ?? granted;
    assert.ok(budget.used >= open() - INITIAL_WINDOW, "less is taken than was promised");
  };
  for (let i = 0; i < 20; i += 1) consume(4_000_000);
  const promised = open();
  for (let i = 0; i < 20; i += 1) consume(1_000);
  assert.ok(budget.used > promised / 2, "a promise was forgotten");
  while (open() > 100_000) consume(20_000);
  assert.ok(budget.used < 200_000, "what was filled is still held");
});

/** In bytes, where 100,000 arrive in a millisecond. */
function windowOf(t: TestContext, path: Path): number {
  const [every, bytes] = [20, 2_000_000];
  let clock = 0;
  const time = t.mock.method(performance, "now", () => clock);
  const window = new ReceiveWindow(new Budget(1e9), path);
  let granted = 0;
  for (let read = bytes; clock < 100 * every; read += bytes) {
    clock += every;
    const credit = window.consume(bytes);
    if (credit) granted = credit - read;
  }
  time.mock.restore();
  return granted;
}

/** Fast enough for a window to grow; returns how often it took. Gives up after a while. */
function consumeUntil(channel: Channel, done: (count: number) => boolean): number {
  const late = performance.now() + 5_000;
  let count = 0;
  for (; !done(count) && performance.now() < late; count += 1) channel.consumed(INITIAL_WINDOW);
  return count;
}
