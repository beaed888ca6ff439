/** How long those stay who came directly with the server's pass. */

import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Passes } from "../../../src/agent/session/passes.ts";
import { newKey } from "../../../src/auth/keys.ts";
import { PassSigner, PassVerifier } from "../../../src/auth/pass.ts";
import { Client } from "../../../src/client/client.ts";
import { passProof } from "../../../src/protocol/pass.ts";
import { startDesk } from "../../support/desk.ts";
import { transportPair } from "../../support/transport-pair.ts";
import { until } from "../../support/until.ts";

const EXEC = { command: ["x"], tty: false, stdin: false };
const PIN = `sha256:${"1".repeat(64)}`;

test("with withdrawn access the sessions end, and a pass that was given before is good for nothing", async (t) => {
  const { passes, come } = await scene(t);
  passes.heard("connected");
  const session = await come("anna").exec("web", EXEC);
  const other = await come("otto").exec("web", EXEC);
  assert.deepEqual([...passes.names].toSorted(), ["anna", "otto"]);
  passes.withdraw("anna");
  assert.match(String(await session.ended), /access was withdrawn/);
  await until("one name", () => !passes.names.has("anna"));
  assert.throws(() => come("anna"), { code: "revoked" });
  assert.ok(other.id);
});

test("a session that an earlier connection has opened ends too", async (t) => {
  const { passes, come, cut, sessions } = await scene(t);
  passes.heard("connected");
  await come("anna").exec("web", EXEC, { onDrop: "keep" });
  cut();
  assert.ok(sessions.subjects().has("server:anna"));
  passes.withdraw("anna");
  await until("its end", () => !sessions.subjects().has("server:anna"));
});

test("while the server is away everybody stays for as long as his pass says, and no longer", async (t) => {
  const { passes, come } = await scene(t, { offline: 1 });
  passes.heard("connected");
  const session = await come("anna").exec("web", EXEC);
  passes.heard("away");
  passes.heard("connected");
  passes.heard("away");
  const left = performance.now();
  assert.match(String(await session.ended), /access was withdrawn/);
  assert.ok(performance.now() - left > 900);
});

test("whoever comes while the server is away has as long", async (t) => {
  const { come } = await scene(t, { offline: 1 });
  const session = await come("anna").exec("web", EXEC);
  assert.match(String(await session.ended), /access was withdrawn/);
});

test("a host that its server knows no more lets everybody go, and nobody in", async (t) => {
  const { passes, come } = await scene(t);
  passes.heard("connected");
  const session = await come("anna").exec("web", EXEC);
  passes.heard("gone");
  assert.match(String(await session.ended), /access was withdrawn/);
  assert.throws(() => come("otto"), { code: "revoked" });
  passes.heard("connected");
  assert.ok(come("otto"));
});

async function scene(t: TestContext, { offline = 60 } = {}) {
  const desk = await startDesk({ exec: async ({ ended }) => ended.then(() => ({ code: 0 })) });
  const server = newKey();
  const holder = newKey();
  const signer = new PassSigner(server);
  const trusted = () => ({ agent: "n1", key: server.publicKey });
  const passes = new Passes({ sessions: desk.sessions, verifier: new PassVerifier({ trusted, pin: () => PIN }) });
  const cuts: (() => void)[] = [];
  const clients: Client[] = [];
  /** Admitted when called; the connection ends as a network's would. */
  const come = (subject: string) => {
    const grant = { subject, rights: ["exec" as const], scopes: [] };
    const pass = signer.sign({ agent: "n1", pin: PIN, grant, key: holder.publicKey, offline });
    const over = new AbortController();
    const shown = `${pass}.${holder.sign(passProof(pass, "here"))}`;
    const caller = passes.admit(shown, { binding: "here", over: over.signal });
    const pair = transportPair({});
    desk.sessions.serve(pair.b, caller, { address: "127.0.0.1", door: "test" });
    cuts.push(() => {
      pair.cut();
      over.abort();
    });
    caller.revoked.addEventListener("abort", () => over.abort());
    let dialled = false;
    const client = new Client({
      software: "test",
      dial: async () => {
        if (dialled) return new Promise(() => {});
        dialled = true;
        return pair.a;
      },
    });
    clients.push(client);
    return client;
  };
  t.after(async () => {
    for (const client of clients) await client.close();
    await desk.close();
  });
  return { passes, come, sessions: desk.sessions, cut: () => cuts.forEach((each) => each()) };
}
