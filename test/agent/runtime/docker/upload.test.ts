/** Requests whose body is sent piece by piece: how far they run ahead of the engine, and what they hear of it. */

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Chunked } from "../../../../src/agent/runtime/docker/chunked.ts";
import type { Upload } from "../../../../src/agent/runtime/docker/upload.ts";
import { until } from "../../../support/until.ts";
import { json, withFakeEngine } from "./fake-engine.ts";

const { signal } = new AbortController();
const MIB = 1024 * 1024;
const PIECE = 64 * 1024;
const PIECES = 256;
const PUT = { method: "PUT", path: "/", streams: "application/x-tar" } as const;
const CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n";

/** Says that it wants the body, and reads none of it. */
function takesNothing(socket: Socket): void {
  socket.pause();
  socket.write(CONTINUE);
}

/** Writes until it has to wait; gives how many bytes were taken, and the write that waits. */
async function fill(upload: Upload): Promise<{ taken: number; waiting: Promise<void> }> {
  for (let taken = 0; taken < PIECES * PIECE; taken += PIECE) {
    const waiting = upload.write(pieceAt(taken));
    const done = await Promise.race([waiting.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);
    if (!done) return { taken, waiting };
  }
  throw new Error("an engine that reads nothing has taken everything");
}

function pieceAt(at: number): Buffer {
  return Buffer.alloc(PIECE, at / PIECE);
}

test("an upload runs ahead of the engine by a bounded number of bytes, and all of them arrive in order", () => {
  const chunked = new Chunked();
  const arrived: Buffer[] = [];
  let engineReads = () => {};
  return withFakeEngine(
    (socket) => {
      takesNothing(socket);
      socket.on("data", (bytes) => {
        arrived.push(chunked.push(bytes));
        if (chunked.done) socket.end(json("{}"));
      });
      engineReads = () => socket.resume();
    },
    async (engine) => {
      const upload = await engine.upload(PUT, signal);
      const { taken, waiting } = await fill(upload);
      assert.ok(taken >= MIB - PIECE && taken < 2 * MIB, `${taken} bytes`);
      engineReads();
      await waiting;
      for (let at = taken + PIECE; at < PIECES * PIECE; at += PIECE) await upload.write(pieceAt(at));
      await upload.finish();
      const sent = Buffer.concat(Array.from({ length: PIECES }, (_, i) => pieceAt(i * PIECE)));
      assert.ok(Buffer.concat(arrived).equals(sent));
    },
  );
});

test("an engine that refuses in the middle of an upload says why to a write that waits, and to those that follow", () => {
  let refuses = () => {};
  return withFakeEngine(
    (socket) => {
      takesNothing(socket);
      refuses = () => socket.write(json('{"message":"no space left on device"}', "500 Internal Server Error"));
    },
    async (engine) => {
      const upload = await engine.upload(PUT, signal);
      const { waiting } = await fill(upload);
      refuses();
      await assert.rejects(waiting, /no space left on device/);
      await assert.rejects(upload.write(pieceAt(0)), /no space left on device/);
      await assert.rejects(upload.finish(), /no space left on device/);
    },
  );
});

test("an engine that is done before everything was sent is done", () =>
  withFakeEngine(
    (socket) => {
      takesNothing(socket);
      socket.write(json("{}"));
    },
    async (engine) => {
      const upload = await engine.upload(PUT, signal);
      for (let at = 0; at < PIECES * PIECE; at += PIECE) await upload.write(pieceAt(at));
      await upload.finish();
    },
  ));

test("an engine that goes away in the middle of an upload is an error, also for a write that waits", () => {
  let goes = () => {};
  return withFakeEngine(
    (socket) => {
      takesNothing(socket);
      goes = () => socket.destroy();
    },
    async (engine) => {
      const upload = await engine.upload(PUT, signal);
      const { waiting } = await fill(upload);
      goes();
      await assert.rejects(waiting, { code: "engine-unavailable" });
      await assert.rejects(upload.finish(), { code: "engine-unavailable" });
    },
  );
});

test("an upload that is given up lets go of the engine, which sees that it is not whole", () => {
  let ended = false;
  return withFakeEngine(
    (socket) => {
      socket.write(CONTINUE);
      socket.on("end", () => (ended = true)).resume();
    },
    async (engine) => {
      const upload = await engine.upload(PUT, signal);
      await upload.write(pieceAt(0));
      upload.destroy();
      await until("the end", () => ended);
      await assert.rejects(upload.finish());
    },
  );
});
