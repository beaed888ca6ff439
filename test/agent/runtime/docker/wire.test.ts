/** Long-lived requests on sockets of our own. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import type { Wire } from "../../../../src/agent/runtime/docker/wire.ts";
import { says, withFakeEngine } from "./fake-engine.ts";

const { signal } = new AbortController();
const MIB = 1024 * 1024;
const GET = { method: "GET", path: "/" } as const;

async function read(wire: Wire): Promise<string> {
  let text = "";
  for await (const bytes of wire.body()) text += bytes.toString("latin1");
  return text;
}

test("a body ends by its length, by its last chunk, or with the connection", async () => {
  const heads = {
    "Content-Length: 5\r\n\r\nhelloIGNORED": "hello",
    "Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n": "hello",
    "Connection: close\r\n\r\nhello": "hello",
    "Content-Length: 0\r\n\r\n": "",
  };
  for (const [rest, body] of Object.entries(heads)) {
    await withFakeEngine(says(`HTTP/1.1 200 OK\r\n${rest}`), async (engine) => {
      assert.equal((await read(await engine.stream(GET, signal))).slice(0, 5), body);
    });
  }
});

test("an answer is understood wherever it is cut", () => {
  const answer = Buffer.from("HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nraw bytes");
  const drip = (socket: Socket, at = 0) => {
    if (at === answer.length) socket.end();
    else socket.write(answer.subarray(at, at + 1), () => setImmediate(drip, socket, at + 1));
  };
  return withFakeEngine(drip, async (engine) => {
    const wire = await engine.stream({ method: "POST", path: "/", upgrade: true }, signal);
    assert.equal(await read(wire), "raw bytes");
  });
});

test("both directions of a raw stream end separately", () =>
  withFakeEngine(
    (socket) => {
      socket.write("HTTP/1.1 101 UPGRADED\r\n\r\n");
      let heard = "";
      socket.on("data", (bytes) => (heard += bytes.toString()));
      socket.on("end", () => socket.end(`heard ${heard}`));
    },
    async (engine) => {
      const wire = await engine.stream({ method: "POST", path: "/", upgrade: true }, signal);
      await wire.write(Buffer.from("this"));
      await wire.end();
      assert.equal(await read(wire), "heard this");
      await assert.rejects(wire.write(Buffer.from("more")));
      await wire.end();
    },
  ));

test("nothing is read that nobody asked for", () => {
  let written = 0;
  const block = Buffer.alloc(64 * 1024);
  const pump = (socket: Socket) => {
    if (!socket.writable) return;
    socket.write(block, () => {
      written += block.length;
      pump(socket);
    });
  };
  return withFakeEngine(
    (socket) => {
      socket.write("HTTP/1.1 101 UPGRADED\r\n\r\n");
      pump(socket);
    },
    async (engine) => {
      const wire = await engine.stream({ method: "POST", path: "/", upgrade: true }, signal);
      const body = wire.body();
      await body.next();
      for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
      assert.ok(written < MIB);
      for (let size = 0; size < 16 * MIB; ) size += (await body.next()).value?.length ?? 0;
      assert.ok(written >= 15 * MIB);
      await body.return();
    },
  );
});

test("a broken connection is an error, and one that is given up ends with the reason", async () => {
  const head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
  await withFakeEngine(says(head), async (engine) => {
    await assert.rejects(read(await engine.stream(GET, signal)), { code: "engine-unavailable", message: /broke off/ });
  });
  await withFakeEngine(
    (socket) => void socket.write(head),
    async (engine) => {
      const stop = new AbortController();
      const body = (await engine.stream(GET, stop.signal)).body();
      assert.equal((await body.next()).value?.toString(), "hello");
      const pending = body.next();
      stop.abort(new Error("enough"));
      await assert.rejects(pending, /enough/);
    },
  );
});

test("a reader that leaves closes the connection", async () => {
  let closed: Promise<unknown> | undefined;
  await withFakeEngine(
    (socket) => {
      closed = once(socket, "close");
      socket.write("HTTP/1.1 200 OK\r\n\r\nhello");
      socket.on("end", () => socket.end()).resume();
    },
    async (engine) => {
      const wire = await engine.stream(GET, signal);
      for await (const _ of wire.body()) break;
      await closed;
    },
  );
});
