/** What a process wrote, out of the engine's frames. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { processOutput } from "../../../../src/agent/runtime/docker/process-output.ts";
import type { Wire } from "../../../../src/agent/runtime/docker/wire.ts";
import type { Output } from "../../../../src/agent/runtime/runtime.ts";

interface Frame {
  stream: Output["stream"];
  payload: Uint8Array;
}

const frame = fc.record<Frame>({
  stream: fc.constantFrom("stdout", "stderr"),
  payload: fc.uint8Array({ minLength: 1, maxLength: 40 }),
});

test("neighbours in one read are one piece, and no byte is lost, doubled or in another's place", async () => {
  const pieces = await outputOf([encoded("stdout", "one"), encoded("stdout", "two"), encoded("stderr", "three")]);
  assert.deepEqual(pieces, [
    ["stdout", "onetwo"],
    ["stderr", "three"],
  ]);
});

test("however the frames are cut into reads, both streams are whole and in order", () =>
  fc.assert(
    fc.asyncProperty(fc.array(frame), fc.integer({ min: 1, max: 100 }), async (frames, size) => {
      const all = Buffer.concat(frames.map(({ stream, payload }) => encoded(stream, payload)));
      const reads = Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
        all.subarray(i * size, (i + 1) * size),
      );
      const sent = frames.map(({ stream, payload }) => [stream, Buffer.from(payload).toString("latin1")] as const);
      const got = await readsOf(reads);
      assert.deepEqual(merged(got), merged(sent));
    }),
  ));

function encoded(stream: Output["stream"], payload: string | Uint8Array): Buffer {
  const bytes = Buffer.from(payload as string);
  const header = Buffer.alloc(8);
  header[0] = stream === "stdout" ? 1 : 2;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

/** In one read. */
function outputOf(frames: Buffer[]): Promise<[string, string][]> {
  return readsOf([Buffer.concat(frames)]);
}

/** As the wire gives them: each read is overwritten once the next one is asked for. */
async function readsOf(reads: readonly Buffer[]): Promise<[string, string][]> {
  async function* body() {
    for (const read of reads) {
      const memory = Buffer.from(read);
      yield memory;
      memory.fill("?");
    }
  }
  const pieces: [string, string][] = [];
  const ended = (error: unknown) => assert.equal(error, undefined);
  for await (const { stream, bytes } of processOutput({ body } as unknown as Wire, { tty: false, ended }))
    pieces.push([stream, Buffer.from(bytes).toString("latin1")]);
  return pieces;
}

/** Neighbours of one stream as one. */
function merged(pieces: readonly (readonly [string, string])[]): [string, string][] {
  const all: [string, string][] = [];
  for (const [stream, text] of pieces) {
    const last = all.at(-1);
    if (last?.[0] === stream) last[1] += text;
    else all.push([stream, text]);
  }
  return all;
}
