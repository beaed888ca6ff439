/** When a host reports. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { Heartbeat } from "../../../src/agent/uplink/heartbeat.ts";
import { Identity } from "../../../src/agent/uplink/identity.ts";
import { Registrar } from "../../../src/agent/uplink/register.ts";
import { ServerAgent } from "../../../src/agent/uplink/secure.ts";
import { newKey } from "../../../src/auth/keys.ts";
import { BEAT_PATH, type BeatReply, type RegisterReply } from "../../../src/protocol/fleet.ts";
import { BEAT, FACTS } from "../../support/host.ts";
import { until } from "../../support/until.ts";

const INTERVAL = 600_000;
const REPLY: RegisterReply & BeatReply = {
  name: "box",
  uid: "1",
  epoch: 1,
  grantKey: newKey().publicKey,
  rotate: false,
  settings: {
    enabled: true,
    heartbeatInterval: INTERVAL,
    pollInterval: INTERVAL,
    keyInterval: INTERVAL,
    containerMetrics: false,
    gpuMetrics: false,
  },
};

/** Notes when a report came; registers whoever asks. */
async function startServer() {
  const reports: number[] = [];
  const server = createServer((request, answer) => {
    if (request.url === BEAT_PATH) reports.push(performance.now());
    answer.end(JSON.stringify(REPLY));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return { reports, url, [Symbol.dispose]: () => server.close().closeAllConnections() };
}

test("news that all hosts may have at once is told up to a second later, as chance has it", async () => {
  using server = await startServer();
  const life = new AbortController();
  const address = { url: server.url, pin: undefined };
  const files = { path: "nowhere", read: async () => undefined, replace: async () => undefined };
  const heartbeat = new Heartbeat({
    registrar: new Registrar({
      line: { server: address, agent: new ServerAgent(address), signal: life.signal },
      identity: await Identity.open(files),
      facts: async () => FACTS,
      token: async () => `flb_${"x".repeat(43)}`,
    }),
    beat: () => BEAT,
    settled: () => undefined,
    reported: () => undefined,
    keyIsOld: () => false,
    random: () => 1,
  });
  const begun = performance.now();
  const done = heartbeat.run(life.signal);
  await until("the first report", () => server.reports.length === 1);
  heartbeat.hasten();
  await until("the news", () => server.reports.length === 2);
  life.abort();
  await done;
  const told = (server.reports[1] ?? 0) - begun;
  // There is a second between two reports in any case.
  assert.ok(told > 1_900, `after ${Math.round(told)} ms`);
});
