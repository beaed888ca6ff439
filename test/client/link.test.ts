/** The connection under a client's sessions, where it comes late or not at all. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Link, type LinkState } from "../../src/client/link.ts";
import { RemoteSession } from "../../src/client/session.ts";
import type { Dial } from "../../src/client/client.ts";
import { Budget } from "../../src/mux/budget.ts";
import type { Channel } from "../../src/mux/channel.ts";
import { CLOSE } from "../../src/mux/errors.ts";
import { Mux } from "../../src/mux/mux.ts";
import type { Transport } from "../../src/mux/transport.ts";
import { FairleadError } from "../../src/protocol/errors.ts";
import { transportPair } from "../support/transport-pair.ts";

function linkTo(dial: Dial, onState: (state: LinkState) => void = () => {}): Link {
  return new Link({ dial, software: "test", onState, budget: new Budget(1_000_000) });
}

test("a session that finds no connection leaves nothing behind", async (t) => {
  const link = linkTo(() => Promise.reject(new FairleadError("unreachable", "Nobody is there.")));
  const added = t.mock.method(link, "add").mock;
  const removed = t.mock.method(link, "remove").mock;
  const request = { header: { op: "exec", container: "web" }, body: {} } as const;
  await assert.rejects(RemoteSession.open(link, request), { message: "Nobody is there." });
  assert.equal(added.callCount(), 1);
  assert.equal(removed.calls[0]?.arguments[0], added.calls[0]?.arguments[0]);
  await link.close();
});

test("a connection that is made while the client closes is closed", async () => {
  const pair = transportPair();
  let connected: (transport: Transport) => void = () => {};
  const link = linkTo(
    () =>
      new Promise((resolve) => {
        connected = resolve;
      }),
  );
  const mux = link.mux();
  const closed = new Promise((resolve) => {
    pair.b.start({ message: () => {}, drain: () => {}, close: resolve });
  });
  connected(pair.a);
  await link.close();
  await assert.rejects(mux, { code: "unreachable" });
  assert.deepEqual(await closed, { code: 1000, reason: "done" });
});

test("a goodbye that comes with the first words is heard: what is new gets another connection", async () => {
  const states: LinkState[] = [];
  const link = linkTo(
    async () => {
      const pair = transportPair();
      const agent = new Mux(pair.b, { role: "listener", software: "test", budget: new Budget(1_000_000) });
      if (states.length === 1) agent.goAway({ code: CLOSE.goingAway, reason: "restart", deadline: 5_000 });
      // Both have arrived by then.
      await Promise.resolve();
      return pair.a;
    },
    (state) => states.push(state),
  );
  const leaving = await link.mux();
  assert.equal(leaving.alive, true);
  assert.notEqual(await link.mux(), leaving);
  const connected = [{ state: "connecting" }, { state: "connected", again: false }];
  assert.deepEqual(states, [...connected, { state: "leaving", reason: "restart", endsInMs: 5_000 }, ...connected]);
  await link.close();
});

test("a followed log whose agent says goodbye with its first words opens nothing there", async () => {
  const opened: Channel[] = [];
  const agents: Mux[] = [];
  const link = linkTo(async () => {
    const pair = transportPair();
    const accept = (channel: Channel) => opened.push(channel);
    const agent = new Mux(pair.b, { role: "listener", software: "test", budget: new Budget(1_000_000), accept });
    agent.goAway({ code: CLOSE.goingAway, reason: "restart", deadline: 5_000 });
    agents.push(agent);
    // Both have arrived by then.
    await Promise.resolve();
    return pair.a;
  });
  const request = { header: { op: "logs", container: "web" }, body: {}, movable: true } as const;
  const session = await RemoteSession.open(link, request);
  await assert.rejects(session.opened, { code: "shutting-down" });
  await link.close();
  await agents[0]?.closed;
  assert.deepEqual([agents.length, opened.length], [1, 0]);
});
