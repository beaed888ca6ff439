/** A sieve in front of a receiver of `ws` gives what one gives by itself, however the bytes are cut. */

import assert from "node:assert/strict";
import type { Writable } from "node:stream";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import * as library from "ws";
import { Sieve } from "../../src/net/sieve.ts";

/** What its types leave out. */
interface Parts {
  Receiver: new (options: { isServer: boolean; maxPayload: number; maxFragments: number }) => Writable;
  Sender: { frame(payload: Buffer, options: object): Buffer[] };
}
const { Receiver, Sender } = library as unknown as Parts;

type From = "client" | "server";
/** What a side says: an opcode, how long its payload is, and how. */
interface Said {
  opcode: number;
  length: number;
  fin: boolean;
  mask: "none" | "zeros" | "random";
}

const MAX_PIECES = 2_000;
/** Of a length that no buffer has, so that nothing can be in another's place unnoticed. */
const PATTERN = Uint8Array.from({ length: 251 }, (_, i) => i);
/** Ends a stream: what was wrong with it. */
const BROKEN = "broken: ";

function frame({ opcode, length, fin, mask }: Said): Buffer {
  const generateMask = (key: Buffer) => void key.fill(mask === "zeros" ? 0 : 0x5a);
  const options = { fin, opcode, rsv1: false, readOnly: true, mask: mask !== "none", generateMask };
  return Buffer.concat(Sender.frame(Buffer.alloc(length, PATTERN), options));
}

/** Everything that a receiver of `ws` tells, in order, until it is broken or has heard a goodbye. */
function receiver(from: From): { told: string[]; write(bytes: Buffer): void } {
  const told: string[] = [];
  const it = new Receiver({ isServer: from === "client", maxPayload: 1_048_576, maxFragments: 64 });
  let over = false;
  it.on("message", (data: Buffer, isBinary: boolean) => told.push(`${isBinary ? "binary" : "text"} ${digest(data)}`));
  it.on("ping", (data: Buffer) => told.push(`ping ${digest(data)}`));
  it.on("pong", (data: Buffer) => told.push(`pong ${digest(data)}`));
  it.on("conclude", (code: number) => {
    told.push(`goodbye ${code}`);
    over = true;
  });
  it.on("error", (error: Error) => {
    told.push(BROKEN + error.message);
    over = true;
  });
  return { told, write: (bytes) => void (over || it.write(bytes)) };
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length} ${crc32(bytes)}`;
}

/** In pieces of these sizes, in turn; in no more than MAX_PIECES. */
function* cut(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  const least = bytes.length / MAX_PIECES;
  for (let at = 0, i = 0; at < bytes.length; i += 1) {
    const end = Math.ceil(at + Math.max(sizes[i % sizes.length] ?? 1, least));
    yield bytes.subarray(at, end);
    at = end;
  }
}

const from = fc.constantFrom<From>("client", "server");
const length = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 300 }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 125, 126, 127, 4_095, 4_096, 65_535, 65_536, 131_077, 131_078) },
  { weight: 1, arbitrary: fc.constantFrom(1_048_576, 1_048_577) },
);
const said = fc.record<Said>({
  opcode: fc.oneof(
    { weight: 12, arbitrary: fc.constant(0x2) },
    { weight: 3, arbitrary: fc.constantFrom(0x1, 0x9, 0xa) },
    { weight: 1, arbitrary: fc.constantFrom(0x0, 0x3, 0x8, 0xb) },
  ),
  length,
  fin: fc.oneof({ weight: 15, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
  mask: fc.oneof(
    { weight: 9, arbitrary: fc.constant<Said["mask"]>("zeros") },
    { weight: 3, arbitrary: fc.constantFrom<Said["mask"]>("none", "random") },
  ),
});
/** Mostly as the side should. */
const proper = (who: From) => (it: Said) =>
  who === "server" && it.mask === "zeros" ? { ...it, mask: "none" as const } : it;
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1_000, max: 100_000 })), {
  minLength: 1,
  maxLength: 12,
});

test("whatever is said, in whatever pieces it comes, is heard as the library by itself hears it", () => {
  fc.assert(
    fc.property(from, fc.array(said, { maxLength: 25 }), sizes, fc.boolean(), (who, all, pieces, inPlace) => {
      const bytes = Buffer.concat(all.map(proper(who)).map(frame));
      const alone = receiver(who);
      for (const piece of cut(bytes, pieces)) alone.write(Buffer.from(piece));
      const behind = receiver(who);
      const buffer = Buffer.alloc(bytes.length);
      const sieve = new Sieve(who, {
        blank: (length) => new Uint8Array(length),
        message: (message) => behind.told.push(`binary ${digest(message)}`),
        other: (other) => behind.write(Buffer.from(other)),
      });
      for (const piece of cut(bytes, pieces)) {
        const filled = inPlace ? piece.copy(sieve.gap) : 0;
        sieve.filled(filled);
        // As it is read: the next piece lies where this one was.
        sieve.take(buffer.subarray(0, piece.copy(buffer, 0, filled)));
        buffer.fill(0xee);
      }
      assert.deepEqual(behind.told, alone.told);
    }),
    { numRuns: 300 },
  );
});

test("whole binary messages do not come to the library, and all after a goodbye does", () => {
  const own: number[] = [];
  let rest = 0;
  const sieve = new Sieve("server", {
    blank: (length) => new Uint8Array(length),
    message: ({ length }) => own.push(length),
    other: ({ length }) => (rest += length),
  });
  const binary = { opcode: 0x2, length: 500, fin: true, mask: "none" } as const;
  sieve.take(Buffer.concat([frame(binary), frame({ ...binary, opcode: 0x9, length: 5 }), frame(binary)]));
  assert.deepEqual([own, rest], [[500, 500], 7]);
  sieve.take(Buffer.concat([frame({ ...binary, opcode: 0x8, length: 2 }), frame(binary)]));
  assert.deepEqual([own, rest], [[500, 500], 7 + 4 + 504]);
});
