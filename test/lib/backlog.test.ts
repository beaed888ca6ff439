/** The bounded backlog of an attach, and of who looks on. */

import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Backlog, type Piece } from "../../src/lib/backlog.ts";

test("every byte is either delivered, in order, or counted as dropped before what follows it", async () => {
  const steps = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constant("read" as const)));
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const backlog = new Backlog<Piece>(1000);
      const reader = backlog[Symbol.asyncIterator]();
      let written = 0;
      let expected = 0;
      const take = async () => {
        const { value } = await reader.next();
        if (!value) return false;
        expected += value.dropped ?? 0;
        assert.equal(Buffer.from(value.bytes).readUInt32BE(), expected);
        expected += value.bytes.length;
        return true;
      };
      let waiting = 0;
      for (const step of list) {
        if (step === "read") {
          if (waiting > 0) await take();
          waiting = Math.max(0, waiting - 1);
        } else {
          const bytes = Buffer.alloc(step + 4);
          bytes.writeUInt32BE(written);
          backlog.add({ bytes });
          written += bytes.length;
          waiting = 1;
        }
      }
      backlog.end();
      while (await take());
      assert.ok(written - expected === 0 || expected <= written);
    }),
  );
});

test("a million one-byte pieces are bounded as their bytes are", async () => {
  const backlog = new Backlog<Piece>(64 * 1024);
  for (let count = 0; count < 1_000_000; count++) backlog.add({ bytes: Buffer.from("x") });
  backlog.end();
  let delivered = 0;
  let dropped = 0;
  for await (const piece of backlog) {
    delivered += piece.bytes.length;
    dropped += piece.dropped ?? 0;
  }
  assert.equal(delivered + dropped, 1_000_000);
  assert.ok(delivered <= 1024);
});
