/** A stream over a channel tells its other end how it ended. */

import assert from "node:assert/strict";
import { finished } from "node:stream/promises";
import { suite, test, type TestContext } from "node:test";
import { ChannelStream } from "../../src/door/channel-stream.ts";
import { Budget } from "../../src/mux/budget.ts";
import type { Channel } from "../../src/mux/channel.ts";
import { Mux } from "../../src/mux/mux.ts";
import { transportPair } from "../support/transport-pair.ts";
import { settled } from "../support/until.ts";

/** More than any first credit. */
const MUCH = 1_048_576;
const NOTHING = new Uint8Array(0);

/** Both ends of one stream; the far one is not read yet. */
async function streams(t: TestContext): Promise<{ near: ChannelStream; far: ChannelStream }> {
  const { a, b } = transportPair();
  const common = { software: "test", budget: new Budget(0) };
  const far = new Promise<ChannelStream>((resolve) => {
    const accept = (channel: Channel) => resolve(new ChannelStream(channel));
    const listener = new Mux(b, { role: "listener", ...common, accept });
    t.after(() => listener.close(1000, "done"));
  });
  const dialler = new Mux(a, { role: "dialler", ...common });
  const near = new ChannelStream(dialler.open({ header: NOTHING, body: NOTHING }));
  return { near, far: await far };
}

suite("a stream over a channel that is destroyed", () => {
  test("when all that was written has left ends", async (t) => {
    const { near, far } = await streams(t);
    near.write("all of it", () => near.destroy());
    assert.equal((await far.toArray()).join(""), "all of it");
  });

  test("while it waits for credit is broken off, not complete", async (t) => {
    const { near, far } = await streams(t);
    near.write(Buffer.alloc(MUCH));
    near.write("the end");
    await settled(() => far.readableLength);
    near.destroy();
    await assert.rejects(finished(far.resume()), { code: "unreachable", message: /broke the connection off/ });
    assert.ok(far.carried.out < MUCH);
  });
});
