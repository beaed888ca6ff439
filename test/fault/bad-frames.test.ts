/** Frames that no client of ours says, over real sockets: each costs the connection that said it, and nobody else. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { MAX_CONTROL_BYTES, MAX_MESSAGE_BYTES } from "../../src/mux/frame.ts";
import { until } from "../support/until.ts";
import { HELLO, PeerSocket } from "./peer-socket.ts";
import { Scene } from "./scene.ts";

const CONTAINER = "fault-frames";
const PROTOCOL_ERROR = 1002;
/** More than a stopped reader, the engine and the kernel between them take, plus a window. */
const OVERFLOW_BYTES = 16 * 1024 * 1024;
/** Requests at a time, and what may wait to leave this side, while nothing is read. */
const BURST = 2_000;
const UNSENT_BYTES = 1024 * 1024;

const exec = { op: "exec", container: CONTAINER };
const sleep = { command: ["sleep", "1000"], tty: false, stdin: true };
const bytes = (text: string) => Buffer.from(text);

const scene = Scene.forThisFile({ neighbour: "fault-frames-neighbour", containers: { [CONTAINER]: {} } });

interface Breach {
  name: string;
  /** What is said once the connection and an exec on channel 1 are open. */
  say: (peer: PeerSocket) => void;
  reason: RegExp;
}

const breaches: Breach[] = [
  { name: "a second HELLO", say: (peer) => peer.say(HELLO), reason: /HELLO is said once/ },
  { name: "a text message", say: (peer) => peer.socket.send("hello"), reason: /at least 5 bytes/ },
  { name: "an empty message", say: (peer) => peer.sayBytes(bytes("")), reason: /at least 5 bytes/ },
  { name: "half a header", say: (peer) => peer.sayBytes(Buffer.from([2, 0, 0])), reason: /at least 5 bytes/ },
  {
    name: "a truncated credit",
    say: (peer) => peer.sayBytes(Buffer.from([3, 0, 0, 0, 1, 0, 0])),
    reason: /offset is 8 bytes/,
  },
  {
    name: "an offset beyond 2^53",
    say: (peer) => peer.sayBytes(Buffer.from([3, 0, 0, 0, 1, 255, 255, 255, 255, 255, 255, 255, 255])),
    reason: /below 2\^53/,
  },
  {
    name: "an empty message on a channel",
    say: (peer) => peer.sayBytes(Buffer.from([2, 0, 0, 0, 1])),
    reason: /1 to 131072 bytes/,
  },
  {
    name: "an oversize message on a channel",
    say: (peer) => peer.say({ type: "data", channel: 1, message: Buffer.alloc(MAX_MESSAGE_BYTES + 1, 2) }),
    reason: /1 to 131072 bytes/,
  },
  {
    name: "an oversize OPEN",
    say: (peer) => peer.open(3, exec, { ...sleep, command: ["x".repeat(MAX_CONTROL_BYTES)] }),
    reason: /at most 262144 bytes/,
  },
  {
    name: "an OPEN whose header is longer than itself",
    say: (peer) => peer.sayBytes(Buffer.from([1, 0, 0, 0, 3, 0, 0, 1, 0, 123, 125])),
    reason: /malformed open/,
  },
  { name: "an unknown frame type", say: (peer) => peer.sayBytes(Buffer.from([99, 0, 0, 0, 0])), reason: /type 99/ },
  {
    name: "data for a channel that was never opened",
    say: (peer) => peer.say({ type: "data", channel: 77, message: bytes("\x02x") }),
    reason: /77 was never opened/,
  },
  {
    name: "credit for a channel that was never opened",
    say: (peer) => peer.say({ type: "credit", channel: 77, offset: 1e6 }),
    reason: /77 was never opened/,
  },
  {
    name: "an acknowledgement for a channel that was never opened",
    say: (peer) => peer.say({ type: "ack", channel: 77, offset: 1 }),
    reason: /77 was never opened/,
  },
  {
    name: "a CLOSE for a channel that was never opened",
    say: (peer) => peer.say({ type: "close", channel: 77, code: 1000, reason: "" }),
    reason: /77 was never opened/,
  },
  {
    name: "data on the connection's own channel",
    say: (peer) => peer.say({ type: "data", channel: 0, message: bytes("\x02x") }),
    reason: /channel 0/,
  },
  { name: "a channel id used again", say: (peer) => peer.open(1, exec, sleep), reason: /channel 1 may not be opened/ },
  {
    name: "a channel id of the agent's",
    say: (peer) => peer.open(2, exec, sleep),
    reason: /channel 2 may not be opened/,
  },
  {
    name: "an acknowledgement of what was never sent",
    say: (peer) => peer.say({ type: "ack", channel: 1, offset: 1_000_000 }),
    reason: /ahead of what was sent/,
  },
  {
    name: "more than the credit",
    say: (peer) => {
      const message = Buffer.alloc(16_384, 2);
      for (let sent = 0; sent <= OVERFLOW_BYTES; sent += message.length)
        peer.say({ type: "data", channel: 1, message });
    },
    reason: /more than its credit/,
  },
];

for (const { name, say, reason } of breaches)
  test(`${name} ends that connection, with words, and what ran on it`, async () => {
    const peer = await PeerSocket.greet(scene.agent);
    // A stopped reader: nothing is consumed, so that only the first window may be sent.
    peer.open(1, exec, name === "more than the credit" ? { ...sleep, command: ["sh", "-c", "kill -STOP $$"] } : sleep);
    await peer.answer(1);
    say(peer);
    const closed = await peer.closed;
    assert.match(closed.reason, reason);
    assert.equal(closed.code, PROTOCOL_ERROR);
  });

test("a client that asks and asks and never reads the answers is cut", async () => {
  const peer = await PeerSocket.greet(scene.agent);
  peer.socket.pause();
  let channel = 1;
  // While it reads nothing only its own writing tells it that the agent has had enough.
  await until("being cut", () => {
    for (let i = 0; i < BURST && peer.socket.bufferedAmount < UNSENT_BYTES; i += 1, channel += 2)
      peer.open(channel, "", "");
    return peer.socket.readyState !== peer.socket.OPEN;
  });
  peer.close();
  await peer.closed;
});

test("a message in endless pieces is cut", async () => {
  const peer = await PeerSocket.greet(scene.agent);
  for (let i = 0; i < 100; i += 1) peer.socket.send(bytes("x"), { fin: false });
  // What it still sends when the other end has closed may cost it the reason.
  assert.ok([1006, 1008].includes((await peer.closed).code));
});

test("garbage ends its connection or is skipped, whatever it is", async () => {
  for (let round = 0; round < 200; round += 1) {
    const peer = await PeerSocket.greet(scene.agent);
    const garbage = randomBytes(1 + (round % 64));
    peer.sayBytes(garbage);
    peer.say({ type: "ping", stamp: 424_242 });
    const pong = peer.hears("pong").catch(() => undefined);
    const outcome = await Promise.race([peer.closed, pong]);
    const said = garbage.toString("hex");
    assert.ok(outcome && ("stamp" in outcome || outcome.reason !== ""), `${said} got neither answer nor reason`);
    peer.close();
  }
});
