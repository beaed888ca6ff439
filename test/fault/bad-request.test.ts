/** What programs ask for by mistake or by malice: refused with the place of the mistake, on a connection that goes on. */

import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { ErrorCode } from "../../src/protocol/errors.ts";
import { HELLO, PeerSocket } from "./peer-socket.ts";
import { Scene } from "./scene.ts";

const WEB = "fault-request-web";
const cat = { command: ["cat"], tty: false, stdin: true };
const logs = { follow: false, stdout: true, stderr: true, timestamps: false };

const scene = Scene.forThisFile({ neighbour: "fault-request-neighbour", containers: { [WEB]: {} } });

suite("a request", () => {
  const header = { op: "exec", container: WEB };
  const mistakes: [string, object | string, unknown, ErrorCode, RegExp][] = [
    ["without JSON", "hello", cat, "bad-request", /not valid JSON/],
    ["in no UTF-8", Buffer.from([0x22, 0xff, 0x22]), cat, "bad-request", /not valid JSON/],
    ["for an unknown operation", { ...header, op: "format-disk" }, cat, "bad-request", /op/],
    ["with an unknown field", { ...header, privileged: true }, cat, "bad-request", /privileged/],
    ["with a prototype", '{"op":"exec","container":"web","__proto__":{"x":1}}', cat, "bad-request", /__proto__/],
    ["without a container", { op: "exec" }, cat, "not-found", /No container ""/],
    ["with an endless name", { ...header, container: "x".repeat(257) }, cat, "bad-request", /container/],
    ["with a header beyond its limit", { ...header, container: "x".repeat(17_000) }, cat, "too-large", /16384/],
    ["with a negative grace", { ...header, grace: -1 }, cat, "bad-request", /grace/],
    ["with an unknown fate", { ...header, onDrop: "hide" }, cat, "bad-request", /onDrop/],
    ["without a command", header, { ...cat, command: [] }, "bad-request", /command/],
    ["with too many arguments", header, { ...cat, command: Array(257).fill("x") }, "bad-request", /command/],
    ["with NUL in an argument", header, { ...cat, command: ["a\0b"] }, "bad-request", /NUL/],
    ["with a variable without a value", header, { ...cat, env: ["PATH"] }, "bad-request", /NAME=value/],
    ["with a size of nothing", header, { ...cat, tty: true, size: { cols: 0, rows: 24 } }, "bad-request", /cols/],
    ["with an unknown field in its body", header, { ...cat, privileged: true }, "bad-request", /privileged/],
    ["for a log since a word", { op: "logs", container: WEB }, { ...logs, since: "yesterday" }, "bad-request", /since/],
    ["for a log's tail of -1", { op: "logs", container: WEB }, { ...logs, tail: -1 }, "bad-request", /tail/],
  ];
  for (const [name, head, body, code, words] of mistakes)
    test(`${name} is refused, and the connection goes on`, async () => {
      const peer = await PeerSocket.connect(scene.agent);
      peer.say(HELLO);
      peer.open(1, head, body);
      const problem = await peer.answer(1);
      assert.equal(problem["code"], code);
      assert.match(String(problem["detail"]), words);
      assert.equal((await peer.hears("close", 1)).code, 1000);
      peer.open(3, { op: "logs", container: WEB }, logs);
      assert.ok((await peer.answer(3))["session"]);
      peer.say({ type: "close", channel: 3, code: 1000, reason: "done" });
      peer.socket.close(1000);
      await peer.closed;
    });
});
