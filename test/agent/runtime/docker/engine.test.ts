/** Short calls to engines that misbehave. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { engineInfo, inspectContainer, listContainers } from "../../../../src/agent/runtime/docker/containers.ts";
import type { Engine } from "../../../../src/agent/runtime/docker/engine.ts";
import { RuntimeError } from "../../../../src/agent/runtime/runtime.ts";
import { type Answer, HANG_MS, hangsAfter, json, says, withFakeEngine } from "./fake-engine.ts";

const { signal } = new AbortController();
const MIB = 1024 * 1024;
/** Milliseconds in which nothing may hang. */
const PATIENT = 20_000;
const ID = "a".repeat(64);

const BROKEN: Record<string, Answer> = {
  "closes at once": says(""),
  "cuts the connection": (socket) => void socket.destroy(),
  "never answers": () => {},
  "answers half a head": says("HTTP/1.1 200 OK\r\nContent-"),
  "hangs in the middle of the head": hangsAfter("HTTP/1.1 200 OK\r\nContent-"),
  "breaks off in the middle of the body": says("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"),
  "breaks off in the middle of a chunk": says("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[{"),
  "sends headers without end": (socket) => {
    const more = () => void (socket.writable && socket.write(`X-${"a".repeat(1000)}: 1\r\n`, () => setImmediate(more)));
    socket.write("HTTP/1.1 200 OK\r\n");
    more();
  },
  "speaks another protocol": says("SSH-2.0-OpenSSH_9.2p1\r\n"),
};

for (const [what, answer] of Object.entries(BROKEN)) {
  const every = async (engine: Engine) => {
    for (const call of [engineInfo, listContainers]) {
      await assert.rejects(call(engine, signal), { name: "RuntimeError", code: "engine-unavailable" });
    }
    const stream = engine.stream({ method: "GET", path: "/events" }, signal);
    await assert.rejects(stream.then(drain), { name: "RuntimeError", code: "engine-unavailable" });
  };
  test(`an engine that ${what} is unavailable, for every call`, () => withFakeEngine(answer, every, HANG_MS));
}

test("an engine that hangs in the middle of an answer is unavailable after the time-out", () => {
  const late = async (engine: Engine) => {
    await assert.rejects(listContainers(engine, signal), { code: "engine-unavailable", message: /within 0.3 s/ });
  };
  return withFakeEngine(hangsAfter("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[{"), late, HANG_MS);
});

test("random bytes instead of an answer are a typed error each time", () =>
  withFakeEngine(
    (socket) => socket.end(randomBytes(200)),
    async (engine) => {
      for (let round = 0; round < 200; round++) {
        await assert.rejects(listContainers(engine, signal), RuntimeError);
        await assert.rejects(engine.stream({ method: "GET", path: "/" }, signal), RuntimeError);
      }
    },
  ));

test("an endless answer is given up before it fills the memory", () => {
  const flood: Answer = (socket) => {
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    const block = Buffer.alloc(MIB, " ");
    const more = () => void (socket.writable && socket.write(block, more));
    more();
  };
  const limited = async (engine: Engine) => {
    const before = process.memoryUsage().rss;
    await assert.rejects(listContainers(engine, signal), {
      code: "engine-unavailable",
      message: /larger than 33554432/,
    });
    assert.ok(process.memoryUsage().rss - before < 256 * MIB);
  };
  return withFakeEngine(flood, limited, PATIENT);
});

test("an answer that breaks off is an error at once, not after the time-out", async () => {
  const heads = ["Content-Length: 1000\r\n\r\n[{", "Transfer-Encoding: chunked\r\n\r\nff\r\n[{"];
  const broken = async (engine: Engine) => {
    await assert.rejects(listContainers(engine, signal), { code: "engine-unavailable", message: /does not answer: / });
  };
  for (const head of heads) await withFakeEngine(says(`HTTP/1.1 200 OK\r\n${head}`), broken, PATIENT);
});

test("the status decides which error it is, and the engine's words are kept, on one line and without control characters", async () => {
  const cases: [string, string][] = [
    ["400 Bad Request", "invalid"],
    ["404 Not Found", "not-found"],
    ["409 Conflict", "not-running"],
    ["500 Internal Server Error", "engine-error"],
    ["501 Not Implemented", "unsupported"],
  ];
  for (const [status, code] of cases) {
    const answer = says(json('{"message":"No such\\n\\u001b[31m thing"}', status));
    await withFakeEngine(answer, async (engine) => {
      const expected = { name: "RuntimeError", code, message: "No such [31m thing" };
      await assert.rejects(inspectContainer(engine, ID, signal), expected);
      await assert.rejects(engine.stream({ method: "GET", path: "/" }, signal), expected);
    });
  }
});

test("a proxy that does not hand over the raw stream is told apart from an engine", () =>
  withFakeEngine(says(json("{}")), async (engine) => {
    const raw = engine.stream({ method: "POST", path: "/exec/1/start", upgrade: true }, signal);
    await assert.rejects(raw, { code: "unsupported", message: /raw stream/ });
  }));

test("one bad item harms none of the others in a list", () => {
  const good = {
    Id: ID,
    Names: ["/other/alias", "/web"],
    Image: "i",
    ImageID: "sha256:1",
    Command: "c",
    State: "running",
    Status: "Up",
    Created: 1,
  };
  const answer = says(json(JSON.stringify([{}, null, { Id: "x" }, 7, good])));
  return withFakeEngine(answer, async (engine) => {
    const list = await listContainers(engine, signal);
    assert.deepEqual(list, [
      {
        id: ID,
        name: "web",
        image: "i",
        imageId: "sha256:1",
        command: "c",
        state: "running",
        status: "Up",
        created: 1000,
        labels: {},
        ports: [],
        networks: [],
      },
    ]);
  });
});

test("a call that its caller gives up rejects with the caller's reason, at once", () =>
  withFakeEngine(
    () => {},
    async (engine) => {
      const stop = new AbortController();
      const calls = [listContainers(engine, stop.signal), engine.stream({ method: "GET", path: "/" }, stop.signal)];
      stop.abort(new Error("enough"));
      for (const call of calls) await assert.rejects(call, { message: "enough" });
    },
  ));

test("calls that hang do not hold up streams", () =>
  withFakeEngine(
    (socket) => {
      socket.once("data", () => {});
      socket.write("");
    },
    async (engine: Engine) => {
      const hung = Array.from({ length: 20 }, () => listContainers(engine, signal).catch((error) => error.code));
      await assert.rejects(engine.stream({ method: "GET", path: "/" }, signal), { code: "engine-unavailable" });
      assert.deepEqual(new Set(await Promise.all(hung)), new Set(["engine-unavailable"]));
    },
    HANG_MS,
  ));

async function drain(wire: Awaited<ReturnType<Engine["stream"]>>): Promise<void> {
  for await (const _ of wire.body());
  throw new Error("the stream ended as if it were complete");
}
