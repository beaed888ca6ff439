/** Following the containers of all hosts, by someone who leaves at an awkward moment. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { ChannelStream } from "../../../src/door/channel-stream.ts";
import { Budget } from "../../../src/mux/budget.ts";
import type { Channel } from "../../../src/mux/channel.ts";
import type { CloseInfo } from "../../../src/mux/errors.ts";
import { openInnerChannel } from "../../../src/mux/inner-channel.ts";
import { Everywhere } from "../../../src/server/http/everywhere.ts";
import { ADMIN } from "../../support/desk.ts";

const REQUEST = { header: new Uint8Array(0), body: new Uint8Array(0) };

test("who leaves while a host is being reached leaves no channel open at its agent, and asks it nothing", async () => {
  const leave = new AbortController();
  let asked = 0;
  const ended = new Promise<CloseInfo>((resolve) => {
    const accept = (agent: Channel) =>
      agent.start({ message: () => (asked += 1), credit() {}, ack() {}, reply() {}, close: resolve });
    const connect = async () => {
      leave.abort();
      return new ChannelStream(openInnerChannel(REQUEST, { budget: new Budget(1_000_000), accept }));
    };
    const nodes = (async function* () {
      yield ["box"];
    })();
    const subject = { grant: ADMIN, revoked: leave.signal };
    void new Everywhere({ relay: { connect }, subject, nodes, signal: leave.signal }).lines().next();
  });
  assert.equal((await ended).code, 1000);
  assert.equal(asked, 0);
});
