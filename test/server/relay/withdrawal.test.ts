/** Withdrawn access on its way to an agent: nothing that clients do there keeps it from arriving. */

import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { newKey } from "../../../src/auth/keys.ts";
import { GrantSigner } from "../../../src/auth/signed-grant.ts";
import { Budget } from "../../../src/mux/budget.ts";
import type { Channel } from "../../../src/mux/channel.ts";
import { Mux } from "../../../src/mux/mux.ts";
import { json } from "../../../src/protocol/json.ts";
import { RESERVED } from "../../../src/server/relay/messaging.ts";
import { Relay } from "../../../src/server/relay/relay.ts";
import { Uplinks } from "../../../src/server/relay/uplinks.ts";
import { Withdrawal } from "../../../src/server/relay/withdrawal.ts";
import { ADMIN } from "../../support/desk.ts";
import { transportPair } from "../../support/transport-pair.ts";
import { until } from "../../support/until.ts";

const COMMON = { software: "test", budget: new Budget(1_048_576) };
const NOTHING = new Uint8Array(0);
/** Channels that the agent takes. */
const CHANNELS = 20;
const NODE = "box";

test("room is kept for it on a line that clients have filled", async (t) => {
  const { orders, uplinks, signer, withdrawal } = await line(t);
  const reach = async () => ({ id: NODE, name: NODE, grant: ADMIN, disabled: false });
  const relay = new Relay({ ...COMMON, messaging: uplinks, signer, reach, withdraw() {}, audit() {} });
  const subject = { grant: ADMIN, revoked: new AbortController().signal };
  for (let open = 0; open < CHANNELS - RESERVED; open += 1) await relay.connect(subject, NODE, "look");
  await assert.rejects(relay.connect(subject, NODE, "look"), { code: "too-many" });
  await withdrawal.tell("anna", [NODE]);
  assert.equal(orders.length, 1);
});

test("it is asked for again while there is no room at all, until it is answered", async (t) => {
  const { orders, clients, fill, withdrawal } = await line(t);
  await fill();
  const told = withdrawal.tell("anna", [NODE]);
  await turn();
  assert.equal(orders.length, 0);
  for (const client of clients) client.close(1000, "done");
  await told;
  assert.equal(orders.length, 1);
});

test("an agent that leaves an order unanswered is given it again, and no more once it is away", async (t) => {
  const { orders, agent, withdrawal } = await line(t, (channel) => channel.close(1000, "not now"));
  const told = withdrawal.tell("anna", [NODE]);
  await until("more than one order", () => orders.length > 2);
  agent.close(1000, "away");
  await told;
});

/** An agent with little room; `answer` is what it does with the server's orders. */
async function line(t: TestContext, answer = (channel: Channel) => channel.reply(json({}))) {
  const { a, b } = transportPair();
  const orders: Channel[] = [];
  const clients: Channel[] = [];
  const accept = (channel: Channel) => {
    channel.start({ message() {}, credit() {}, ack() {}, reply() {}, close() {} });
    if (!isOrder(channel)) return;
    orders.push(channel);
    answer(channel);
  };
  const agent = new Mux(a, { ...COMMON, role: "dialler", channels: CHANNELS, accept });
  t.after(() => agent.close(1000, "done"));
  const uplinks = new Uplinks(COMMON);
  void uplinks.hold(NODE, b);
  const room = async () => (await uplinks.find(NODE))?.room ?? 0;
  await until("the agent's greeting", async () => (await room()) === CHANNELS);
  /** Opens channels until there is no room. */
  const fill = async () => {
    while ((await room()) > 0) {
      const holder = await uplinks.find(NODE);
      const channel = holder?.open({ header: NOTHING, body: NOTHING });
      channel?.start({ message() {}, credit() {}, ack() {}, reply() {}, close() {} });
      if (channel) clients.push(channel);
    }
  };
  const signer = new GrantSigner(newKey());
  const withdrawal = new Withdrawal({ messaging: uplinks, signer, known: () => false });
  return { agent, orders, clients, uplinks, fill, signer, withdrawal };
}

function isOrder({ request: { header } }: Channel): boolean {
  if (header.length === 0) return false;
  const { grant } = JSON.parse(Buffer.from(header).toString()) as { grant: string };
  return Buffer.from(grant.split(".")[1] ?? "", "base64url").includes('"op":"withdraw"');
}
