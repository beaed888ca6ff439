/** Apps that the server has open at its hosts, on a real relay: what is left of those that are not opened after all. */

import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { suite, test } from "node:test";
import { Budget } from "../../../src/mux/budget.ts";
import { AppSessions } from "../../../src/server/relay/app-sessions.ts";
import { ADMIN } from "../../support/desk.ts";
import { RelayRig } from "../../support/relay.ts";

const BUDGET = 1_048_576;
const REMOTE = { address: "127.0.0.1", door: "http" };

suite("an app at a host", () => {
  test("leaves nothing with whoever wanted it when it is refused", async () => {
    await using rig = await RelayRig.start();
    const apps = new AppSessions({ relay: rig.relay, budget: new Budget(BUDGET) });
    const { signal: revoked } = new AbortController();
    const visit = { subject: { grant: ADMIN, revoked }, remote: REMOTE, signal: new AbortController().signal };
    for (const [node, code] of [
      ["box", "agent-away"],
      ["nowhere", "not-found"],
    ] as const)
      for (let i = 0; i < 100; i++)
        await assert.rejects(apps.open({ node, container: "web", port: 80 }, visit), { code });
    assert.equal(getEventListeners(revoked, "abort").length, 0);
    assert.equal(getEventListeners(visit.signal, "abort").length, 0);
  });
});
