/** Apps that the server has open at its hosts, on a real relay: what is left of those that are refused, and which host is theirs. */

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { suite, test } from "node:test";
import { Budget } from "../../../src/mux/budget.ts";
import type { Channel } from "../../../src/mux/channel.ts";
import type { CloseInfo } from "../../../src/mux/errors.ts";
import { Mux } from "../../../src/mux/mux.ts";
import { json } from "../../../src/protocol/json.ts";
import { UPLINK_PATH } from "../../../src/protocol/version.ts";
import { AppSessions } from "../../../src/server/relay/app-sessions.ts";
import { ADMIN } from "../../support/desk.ts";
import { dial, RelayRig } from "../../support/relay.ts";
import { until } from "../../support/until.ts";

const BUDGET = 1_048_576;
const REMOTE = { address: "127.0.0.1", door: "http" };

suite("an app at a host", () => {
  test("leaves nothing with whoever wanted it when it is refused", async () => {
    await using rig = await RelayRig.start();
    const { apps, visit } = parts(rig);
    for (const [node, code] of [
      ["box", "agent-away"],
      ["nowhere", "not-found"],
    ] as const)
      for (let i = 0; i < 100; i++)
        await assert.rejects(apps.open({ node, container: "web", port: 80 }, visit), { code });
    assert.equal(getEventListeners(visit.subject.revoked, "abort").length, 0);
    assert.equal(getEventListeners(visit.signal, "abort").length, 0);
  });

  test("ends rather than go on at another host that has the name of its own", async () => {
    await using rig = await RelayRig.start();
    const [box, heir] = [await rig.desk("box"), await rig.desk("box-anew")];
    await until("both hosts", () => box.isConnected() && heir.isConnected());
    const { apps, visit } = parts(rig);
    const wanted = { node: "box", container: "web", port: 80 };
    const [open, interrupted] = [await apps.open(wanted, visit), await apps.open(wanted, visit)];
    rig.rename("box", "box-anew");
    await assert.rejects(open.connect(), { code: "session-gone" });
    await open.ended;
    await box.sessions.close();
    await assert.rejects(interrupted.connect(), { code: "session-gone" });
    await interrupted.ended;
    assert.deepEqual([box.sessions.counts(), heir.sessions.counts(), heir.audit], [{}, {}, []]);
    const anew = await apps.open(wanted, visit);
    assert.deepEqual(heir.sessions.counts(), { proxy: 1 });
    anew.close();
  });

  test("loses its session, and nothing else, to an agent that breaks the protocol on it", async () => {
    await using rig = await RelayRig.start();
    const ends: CloseInfo[] = [];
    const agent = await lyingAgent(rig, (channel) => {
      // The server asks on its own account.
      if (channel.request.body.length === 0) return channel.close(1000, "");
      channel.start({ message() {}, credit() {}, ack() {}, reply() {}, close: (info) => ends.push(info) });
      channel.reply(json({ session: "s", secret: "secret", epoch: 1, received: 0, onDrop: "kill", grace: 0 }));
      channel.ack(2 ** 40);
    });
    const { apps, visit } = parts(rig);
    const app = await apps.open({ node: "box", container: "web", port: 80 }, visit);
    const [end] = await until("the end of the session", () => ends.length > 0 && ends);
    assert.deepEqual(end, { code: 1002, reason: "an acknowledgement is ahead of what was sent" });
    assert.equal(agent.alive, true);
    app.close();
    agent.close(1000, "done");
  });
});

/** Does as it likes with every channel. */
async function lyingAgent({ port }: RelayRig, accept: (channel: Channel) => void): Promise<Mux> {
  const transport = await dial(port, { path: UPLINK_PATH, token: "id-box" }, new AbortController().signal);
  return new Mux(transport, { role: "dialler", software: "test", budget: new Budget(BUDGET), accept });
}

function parts({ relay }: RelayRig) {
  const apps = new AppSessions({ relay, budget: new Budget(BUDGET) });
  const { signal: revoked } = new AbortController();
  const { signal } = new AbortController();
  return { apps, visit: { subject: { grant: ADMIN, revoked }, remote: REMOTE, signal } };
}
