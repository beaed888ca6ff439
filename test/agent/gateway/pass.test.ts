/** A server's pass at the agent's door, over real TLS: good for its holder, once, here, on the connection on which he proves it. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, suite, test } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { Passes } from "../../../src/agent/session/passes.ts";
import { newKey } from "../../../src/auth/keys.ts";
import { PassSigner, PassVerifier, type PassWish } from "../../../src/auth/pass.ts";
import { GrantSigner } from "../../../src/auth/signed-grant.ts";
import { BINDING, PASS_SCHEME, passProof } from "../../../src/protocol/pass.ts";
import type { Grant } from "../../../src/protocol/rights.ts";
import { SESSIONS_PATH } from "../../../src/protocol/version.ts";
import { certificate, type TestCertificate } from "../../support/certificate.ts";
import { type Front, offer, requestText, startFront, upgrade } from "../../support/front.ts";

const PATIENCE_MS = 4_000;
const MINUTE = 60_000;
const grant: Grant = { subject: "token:anna", rights: ["exec"], scopes: [] };
const server = newKey();
const holder = newKey();
const thief = newKey();

let tls: TestCertificate;
let front: Front;

before(async () => {
  tls = await certificate();
  let passes: Passes;
  front = await startFront({
    config: { tls },
    gateway: { passes: { admit: (...shown) => passes.admit(...shown) } },
  });
  const trusted = () => ({ agent: "n1", key: server.publicKey });
  passes = new Passes({ sessions: front.desk.sessions, verifier: new PassVerifier({ trusted, pin: () => tls.pin }) });
});
after(() => front[Symbol.asyncDispose]());

function pass({ by = server, at = Date.now(), ...wish }: Partial<PassWish> & { by?: typeof server; at?: number } = {}) {
  const signer = new PassSigner(by, () => at);
  return signer.sign({ agent: "n1", pin: tls.pin, grant, key: holder.publicKey, offline: 60, ...wish });
}

async function dial(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port: front.port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect", { signal: AbortSignal.timeout(PATIENCE_MS) });
  return socket;
}

/** What the holder of a key shows on this connection. */
function shown(text: string, { on, key = holder }: { on: TLSSocket; key?: typeof holder }): string {
  const binding = on.exportKeyingMaterial(BINDING.bytes, BINDING.label, Buffer.alloc(0)).toString("base64url");
  return `${text}.${key.sign(passProof(text, binding))}`;
}

/** The answer's status and words. */
async function show(socket: TLSSocket, credential: string, path = SESSIONS_PATH): Promise<string> {
  const authorization = `Authorization: ${PASS_SCHEME} ${credential}`;
  const headers = path === SESSIONS_PATH ? upgrade(offer(), authorization) : [authorization];
  socket.write(requestText(front.host, { path, headers }));
  const [bytes] = (await once(socket, "data", { signal: AbortSignal.timeout(PATIENCE_MS) })) as [Buffer];
  socket.destroy();
  return bytes.toString();
}

suite("a pass", () => {
  test("lets its holder in, once", async () => {
    const own = pass();
    const first = await dial();
    assert.match(await show(first, shown(own, { on: first })), /^HTTP\/1\.1 101 /);
    const second = await dial();
    assert.match(await show(second, shown(own, { on: second })), /^HTTP\/1\.1 403 [^]*was used before/);
  });

  test("is worth nothing to whoever has seen it, and stays good for its holder", async () => {
    const own = pass();
    const victim = await dial();
    const seen = shown(own, { on: victim });
    const replay = await dial();
    assert.match(await show(replay, seen), /^HTTP\/1\.1 403 [^]*not shown by the holder of its key/);
    const theft = await dial();
    const stolen = shown(own, { on: theft, key: thief });
    assert.match(await show(theft, stolen), /^HTTP\/1\.1 403 [^]*not shown by the holder of its key/);
    assert.match(await show(victim, seen), /^HTTP\/1\.1 101 /);
  });

  const refusals: { name: string; text: () => string; words: RegExp }[] = [
    { name: "for another agent", text: () => pass({ agent: "n2" }), words: /is for another agent/ },
    {
      name: "for another certificate",
      text: () => pass({ pin: `sha256:${"0".repeat(64)}` }),
      words: /for another certificate/,
    },
    { name: "that has expired", text: () => pass({ at: Date.now() - 2 * MINUTE - 2_000 }), words: /has expired/ },
    { name: "from the future", text: () => pass({ at: Date.now() + MINUTE + 2_000 }), words: /from the future/ },
    { name: "of another server", text: () => pass({ by: thief }), words: /is not signed by the server/ },
    { name: "that is the grant of a relayed session", text: relayedGrant, words: /is not signed by the server/ },
    { name: "that is none", text: () => "a.b.c", words: /is not signed by the server/ },
  ];
  for (const { name, text, words } of refusals)
    test(`${name} is refused`, async () => {
      const socket = await dial();
      assert.match(await show(socket, shown(text(), { on: socket })), new RegExp(`^HTTP/1.1 403 [^]*${words.source}`));
    });

  test("is refused where the proof cannot be bound to the connection", async () => {
    const socket = await dial({ maxVersion: "TLSv1.2" });
    assert.match(await show(socket, shown(pass(), { on: socket })), /^HTTP\/1\.1 403 [^]*only over TLS 1\.3/);
  });

  test("opens the door of sessions and no other", async () => {
    const socket = await dial();
    assert.match(await show(socket, shown(pass(), { on: socket }), "/api/v1/whoami"), /^HTTP\/1\.1 401 /);
  });

  test("is refused by an agent that takes none", async (t) => {
    const closed = await startFront({ config: { tls } });
    t.after(() => closed[Symbol.asyncDispose]());
    const socket = await dial({ port: closed.port });
    assert.match(await show(socket, shown(pass(), { on: socket })), /^HTTP\/1\.1 (403|421) /);
  });
});

function relayedGrant(): string {
  const body = Buffer.from("{}");
  return new GrantSigner(server).sign({ agent: "n1", grant, session: "s1", header: { op: "exec" }, body });
}
