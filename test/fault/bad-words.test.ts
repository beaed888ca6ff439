/** What is odd but well formed, over real sockets: a greeting, a channel or a packet that ends what it belongs to, or nothing. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PeerSocket } from "./peer-socket.ts";
import { Scene } from "./scene.ts";
import { carries } from "./stage.ts";

const CONTAINER = "fault-words";
/** As in SPEC.md. */
const CHANNELS = 256;

const exec = { op: "exec", container: CONTAINER };
const sleep = { command: ["sleep", "1000"], tty: false, stdin: true };
const forward = { op: "forward", container: CONTAINER };
const bytes = (text: string) => Buffer.from(text);

// Of a container's sessions nobody gets all: here it is the channels that are to run out.
const flags = ["--max-sessions-per-container", "400"];
const scene = Scene.forThisFile({ neighbour: "fault-words-neighbour", containers: { [CONTAINER]: {} }, flags });

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
      const peer = await PeerSocket.connect(scene.agent);
      peer.sayBytes(Buffer.concat([Buffer.alloc(5), bytes(JSON.stringify(hello))]));
      assert.match((await peer.closed).reason, reason);
    });

  test("comes first, or nothing is heard", async () => {
    const peer = await PeerSocket.connect(scene.agent);
    peer.open(1, exec, sleep);
    assert.match((await peer.closed).reason, /first frame must be HELLO/);
  });

  test("that does not come is waited for ten seconds", async () => {
    const peer = await PeerSocket.connect(scene.agent);
    assert.match((await peer.closed).reason, /no HELLO in time/);
  });

  test("of a newer version with new fields is understood by both", async () => {
    const peer = await PeerSocket.connect(scene.agent);
    const hello = { version: 2, min: 1, channels: 256, software: "newer", colour: "blue" };
    peer.sayBytes(Buffer.concat([Buffer.alloc(5), bytes(JSON.stringify(hello))]));
    peer.open(1, forward, { ports: [80] });
    assert.ok((await peer.answer(1))["session"]);
    await peer.leave(1);
  });
});

test("256 channels are served, the 257th is refused, and the others go on", async () => {
  const peer = await PeerSocket.greet(scene.agent);
  for (let i = 0; i < CHANNELS; i += 1) peer.open(1 + 2 * i, { ...forward, onDrop: "kill" }, { ports: [80] });
  for (let i = 0; i < CHANNELS; i += 1) assert.ok((await peer.answer(1 + 2 * i))["session"]);
  const extra = 1 + 2 * CHANNELS;
  peer.open(extra, forward, { ports: [80] });
  const refused = await peer.hears("close", extra);
  assert.equal(refused.code, 4429);
  assert.match(refused.reason, /at most 256 channels/);
  peer.say({ type: "close", channel: 1, code: 1000, reason: "done" });
  // The neighbour's session stands in for the one that has ended.
  await carries(scene.agent, CHANNELS);
  peer.open(extra + 2, { ...forward, onDrop: "kill" }, { ports: [80] });
  assert.ok((await peer.answer(extra + 2))["session"]);
  peer.close();
});

test("frames that may be skipped are skipped, and frames for a closed channel dropped", async () => {
  const peer = await PeerSocket.greet(scene.agent);
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
  await peer.leave(3);
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
    ["a malformed exit", bytes("\x08{"), /Malformed exit/],
  ];
  for (const [name, packet, words] of packets)
    test(`${name} ends the session with an error, and the connection goes on`, async () => {
      const peer = await PeerSocket.greet(scene.agent);
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
      await peer.leave(3);
    });
});
