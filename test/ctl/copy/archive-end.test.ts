/** What comes out of a container into a pipe is whole, or the copy has failed. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Header, pack } from "tar-stream";
import { ArchiveEnd } from "../../../src/ctl/copy/archive-end.ts";
import { copyOutToPipe } from "../../../src/ctl/copy/copy-out.ts";

const KIB = 1024;

async function archiveOf(...items: (Partial<Header> & { name: string; body?: Buffer })[]): Promise<Buffer> {
  const archive = pack();
  for (const { body, ...header } of items)
    if (body) archive.entry(header, body.toString("latin1"));
    else archive.entry(header).end(null);
  archive.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of archive as AsyncIterable<Uint8Array>) parts.push(part);
  return Buffer.concat(parts);
}

function isWhole(archive: Buffer, piece: number): boolean {
  const end = new ArchiveEnd();
  for (let at = 0; at < archive.length; at += piece) end.add(Buffer.from(archive.subarray(at, at + piece)));
  return end.isWhole;
}

test("an archive is whole with its end and not before, in whatever pieces it comes, and though it holds zeros", async () => {
  const archive = await archiveOf(
    { name: "d", type: "directory" },
    { name: "d/zeros", body: Buffer.alloc(5 * KIB) },
    { name: `d/${"ü".repeat(200)}`, body: Buffer.from("long") },
    { name: "d/link", type: "symlink", linkname: "zeros" },
    { name: "d/empty", body: Buffer.alloc(0) },
    { name: "d/last", body: Buffer.alloc(3 * KIB + 1) },
  );
  for (const piece of [1, 511, 512, 700, 64 * KIB]) assert.equal(isWhole(archive, piece), true, String(piece));
  for (let length = 0; length <= archive.length - KIB; length += 256)
    assert.equal(isWhole(archive.subarray(0, length), 700), false, String(length));
});

test("what a header has no room for is told in a record before it, or in another form", async () => {
  const body = Buffer.alloc(2 * KIB);
  const told = await archiveOf({ name: "f", body, pax: { comment: "\n11 size=0\n", size: String(body.length) } });
  // As Go writes it: nothing in the header itself, which comes after the records and their own.
  told.write("0".repeat(11), 2 * 512 + 124, "latin1");
  const binary = await archiveOf({ name: "f", body });
  binary.fill(0, 124, 136);
  binary.writeUInt8(0x80, 124);
  binary.writeUInt16BE(body.length, 134);
  for (const archive of [told, binary]) {
    assert.equal(isWhole(archive, 700), true);
    assert.equal(isWhole(archive.subarray(0, -KIB), 700), false);
  }
});

test("a copy to a pipe of which the engine ends the archive early has failed, after all that came", async () => {
  const archive = await archiveOf({ name: "f", body: Buffer.alloc(64 * KIB) });
  const copy = async (bytes: Buffer) => {
    let written = 0;
    const receive = async function* () {
      yield bytes;
    };
    const stdout = { write: async ({ length }: Uint8Array) => void (written += length) };
    const ended = copyOutToPipe({ stdout } as never, { transfer: { receive, recycle: () => {} } } as never);
    return [await ended.catch((error: Error) => error.message), written];
  };
  assert.deepEqual(await copy(archive), [0, archive.length]);
  const [words, written] = await copy(archive.subarray(0, 32 * KIB));
  assert.match(String(words), /^The engine has ended the archive early/);
  assert.equal(written, 32 * KIB);
});
