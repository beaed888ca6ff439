/** What no client of ours says, over real sockets: each costs the connection or the session that said it, and nobody else. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, afterEach, before, suite, test } from "node:test";
import { MAX_CONTROL_BYTES, MAX_MESSAGE_BYTES } from "../../src/mux/frame.ts";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { Neighbour } from "./neighbour.ts";
import { HELLO, PeerSocket } from "./peer-socket.ts";
import { carries, until } from "./stage.ts";

const CONTAINER = "fault-frames";
const NEIGHBOUR = "fault-frames-neighbour";
const PROTOCOL_ERROR = 1002;
/** As in SPEC.md. */
const CHANNELS = 256;
/** More than a stopped reader, the engine and the kernel between them take, plus a window. */
const OVERFLOW_BYTES = 16 * 1024 * 1024;
/** Requests at a time, and what may wait to leave this side, while nothing is read. */
const BURST = 2_000;
const UNSENT_BYTES = 1024 * 1024;

const exec = { op: "exec", container: CONTAINER };
const sleep = { command: ["sleep", "1000"], tty: false, stdin: true };
const forward = { op: "forward", container: CONTAINER };
const bytes = (text: string) => Buffer.from(text);

let engine: Engine;
let agent: TestAgent;
let neighbour: Neighbour;

before(async () => {
  engine = await sharedEngine();
  await engine.run(CONTAINER);
  await engine.run(NEIGHBOUR);
  agent = await startAgent({ engine });
  neighbour = await Neighbour.start(agent, NEIGHBOUR);
});

/** After every single breach: the neighbour's bytes are right, and nothing but its session is left. */
afterEach(async () => {
  await neighbour.pulse();
  await carries(agent, 1);
});

after(async () => {
  await neighbour?.close();
  await agent?.stop();
  await engine?.docker("rm", "--force", CONTAINER, NEIGHBOUR);
});

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
    const peer = await greeted();
    // A stopped reader: nothing is consumed, so that only the first window may be sent.
    peer.open(1, exec, name === "more than the credit" ? { ...sleep, command: ["sh", "-c", "kill -STOP $$"] } : sleep);
    await peer.answer(1);
    say(peer);
    const closed = await peer.closed;
    assert.match(closed.reason, reason);
    assert.ok([PROTOCOL_ERROR, 4002].includes(closed.code), `closed with ${closed.code}`);
  });

suite("a HELLO", () => {
  const versions: [string, object, RegExp][] = [
    ["of the future only", { version: 9, min: 8, channels: 1, software: "x" }, /speaks versions 1 to 1/],
    ["that contradicts itself", { version: 1, min: 2, channels: 1, software: "x" }, /malformed hello/],
    ["of version 0", { version: 0, min: 0, channels: 1, software: "x" }, /malformed hello/],
    ["of words", { version: "one", min: 1, channels: 1, software: "x" }, /malformed hello/],
    ["that is a list", [1, 1, 256], /malformed/],
  ];
  for (const [name, hello, reason] of versions)
    test(`${name} is refused`, async () => {
      const peer = await PeerSocket.connect(agent);
      peer.sayBytes(Buffer.concat([Buffer.alloc(5), bytes(JSON.stringify(hello))]));
      assert.match((await peer.closed).reason, reason);
    });

  test("comes first, or nothing is heard", async () => {
    const peer = await PeerSocket.connect(agent);
    peer.open(1, exec, sleep);
    assert.match((await peer.closed).reason, /first frame must be HELLO/);
  });

  test("that does not come is waited for ten seconds", async () => {
    const peer = await PeerSocket.connect(agent);
    assert.match((await peer.closed).reason, /no HELLO in time/);
  });

  test("of a newer version with new fields is understood by both", async () => {
    const peer = await PeerSocket.connect(agent);
    const hello = { version: 2, min: 1, channels: 256, software: "newer", colour: "blue" };
    peer.sayBytes(Buffer.concat([Buffer.alloc(5), bytes(JSON.stringify(hello))]));
    peer.open(1, forward, { ports: [80] });
    assert.ok((await peer.answer(1))["session"]);
    await left(peer);
  });
});

test("256 channels are served, the 257th is refused, and the others go on", async () => {
  const peer = await greeted();
  for (let i = 0; i < CHANNELS; i += 1) peer.open(1 + 2 * i, { ...forward, onDrop: "kill" }, { ports: [80] });
  for (let i = 0; i < CHANNELS; i += 1) assert.ok((await peer.answer(1 + 2 * i))["session"]);
  const extra = 1 + 2 * CHANNELS;
  peer.open(extra, forward, { ports: [80] });
  const refused = await peer.hears("close", extra);
  assert.equal(refused.code, 4429);
  assert.match(refused.reason, /at most 256 channels/);
  peer.say({ type: "close", channel: 1, code: 1000, reason: "done" });
  peer.open(extra + 2, { ...forward, onDrop: "kill" }, { ports: [80] });
  assert.ok((await peer.answer(extra + 2))["session"]);
  peer.close();
});

test("frames that may be skipped are skipped, and frames for a closed channel dropped", async () => {
  const peer = await greeted();
  peer.open(1, exec, { command: ["cat"], tty: false, stdin: true });
  await peer.answer(1);
  peer.sayBytes(Buffer.from([0x80, 0, 0, 0, 0, 1, 2, 3]));
  peer.sayBytes(Buffer.from([0xff, 0, 0, 0, 1]));
  peer.say({ type: "data", channel: 1, message: bytes("\x99a packet of the future") });
  peer.say({ type: "credit", channel: 1, offset: 1 });
  peer.say({ type: "reply", channel: 1, message: bytes("not ours to say") });
  peer.say({ type: "data", channel: 1, message: bytes("\x02still here") });
  const { message } = await peer.hears("data", 1);
  assert.equal(Buffer.from(message).toString(), "\x03still here");
  peer.say(
    { type: "close", channel: 1, code: 1000, reason: "done" },
    { type: "close", channel: 1, code: 1000, reason: "" },
  );
  peer.say({ type: "data", channel: 1, message: bytes("\x02too late") }, { type: "ack", channel: 1, offset: 5 });
  peer.open(3, forward, { ports: [80] });
  assert.ok((await peer.answer(3))["session"]);
  await left(peer);
});

test("a client that asks and asks and never reads the answers is cut", async () => {
  const peer = await greeted();
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
  const peer = await greeted();
  for (let i = 0; i < 100; i += 1) peer.socket.send(bytes("x"), { fin: false });
  assert.equal((await peer.closed).code, 1008);
});

test("garbage ends its connection or is skipped, whatever it is", async () => {
  for (let round = 0; round < 200; round += 1) {
    const peer = await greeted();
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

suite("in a session", () => {
  const packets: [string, Buffer, RegExp][] = [
    ["an unknown packet", bytes("\x44what"), /tag 68 is unknown/],
    ["output from a client", bytes("\x03out"), /may not send stdout/],
    ["an exit from a client", bytes('\x08{"code":0}'), /may not send exit/],
    ["a size of nothing", Buffer.from([6, 0, 0, 0, 0]), /from 1 to 1000/],
    ["half a size", Buffer.from([6, 0, 80]), /from 1 to 1000/],
    ["an unknown signal", bytes("\x07SEGV"), /names one of/],
    ["an end with a payload", bytes("\x05more"), /carries no payload/],
    ["a malformed exit", bytes("\x08{"), /malformed exit/],
  ];
  for (const [name, packet, words] of packets)
    test(`${name} ends the session with an error, and the connection goes on`, async () => {
      const peer = await greeted();
      peer.open(1, exec, sleep);
      await peer.answer(1);
      peer.say({ type: "data", channel: 1, message: packet });
      const { message } = await peer.hears("data", 1);
      const problem = JSON.parse(Buffer.from(message).subarray(1).toString()) as { code: string; detail: string };
      assert.equal(message[0], 9);
      assert.equal(problem.code, "protocol-error");
      assert.match(problem.detail, words);
      peer.open(3, forward, { ports: [80] });
      assert.ok((await peer.answer(3))["session"]);
      await left(peer);
    });
});

async function greeted(): Promise<PeerSocket> {
  const peer = await PeerSocket.connect(agent);
  peer.say(HELLO);
  return peer;
}

/** Ends what is kept on channels 1 and 3 by a word, then the connection. */
async function left(peer: PeerSocket): Promise<void> {
  for (const channel of [1, 3]) {
    if (peer.heard.some((frame) => frame.type === "reply" && frame.channel === channel))
      peer.say({ type: "close", channel, code: 1000, reason: "done" });
  }
  peer.socket.close(1000);
  await peer.closed;
}
