/** Two channels made one, between ends that go as far as they are let. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Budget } from "../../../src/mux/budget.ts";
import type { Channel, ChannelEvents } from "../../../src/mux/channel.ts";
import { HEADER_BYTES, INITIAL_WINDOW } from "../../../src/mux/frame.ts";
import { Mux } from "../../../src/mux/mux.ts";
import { join } from "../../../src/server/relay/junction.ts";
import { transportPair } from "../../support/transport-pair.ts";
import { settled, until } from "../../support/until.ts";

const MESSAGE = 1_000;
/** More than the windows of both hops hold. */
const MESSAGES = 1_000;
const REQUEST = { header: new Uint8Array(0), body: new Uint8Array(0) };
const IDLE: ChannelEvents = { message() {}, credit() {}, ack() {}, reply() {}, close() {} };

test("what the next hop gives no credit for waits, at most a window of it, and passes when there is credit again", async (t) => {
  const { client, agent, muxes } = await joined();
  t.after(() => muxes.forEach((mux) => mux.close(1000, "done")));
  let received = 0;
  agent.start({ ...IDLE, message: () => (received += 1) });
  let sent = 0;
  const send = () => {
    for (; client.credit > 0 && sent < MESSAGES; sent += 1) client.post(new Uint8Array(HEADER_BYTES + MESSAGE));
  };
  client.start({ ...IDLE, credit: send });
  send();

  const unread = await settled(() => received);
  assert.ok(unread * MESSAGE <= INITIAL_WINDOW, `${unread} messages came to an end that reads none`);
  assert.ok((sent - unread) * MESSAGE <= INITIAL_WINDOW, `${sent - unread} messages wait in between`);
  let consumed = 0;
  await until("all messages", () => {
    for (; consumed < received; consumed += 1) agent.consumed(MESSAGE);
    return received === MESSAGES;
  });
  assert.ok(muxes.every(({ alive }) => alive));
});

/** The two ends of two connections whose other ends are joined. */
async function joined(): Promise<{ client: Channel; agent: Channel; muxes: Mux[] }> {
  const [near, far] = [transportPair(), transportPair()];
  const options = { software: "test", budget: new Budget(64 * 1024 * 1024) };
  let arrive: (channel: Channel) => void = () => {};
  const arrived = new Promise<Channel>((resolve) => (arrive = resolve));
  const passOn = (channel: Channel) => void join(channel, uplink.open(REQUEST));
  const line = new Mux(far.a, { role: "dialler", accept: (channel) => arrive(channel), ...options });
  const uplink = new Mux(far.b, { role: "listener", ...options });
  const relay = new Mux(near.b, { role: "listener", accept: passOn, ...options });
  const dialler = new Mux(near.a, { role: "dialler", ...options });
  const client = dialler.open(REQUEST);
  client.start(IDLE);
  return { client, agent: await arrived, muxes: [dialler, relay, uplink, line] };
}
