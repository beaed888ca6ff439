/** What an agent takes from its server: nothing but what a good grant says, word for word. */

import assert from "node:assert/strict";
import { Duplex } from "node:stream";
import { test, type TestContext } from "node:test";
import { Relayed } from "../../../src/agent/session/relayed.ts";
import { newKey } from "../../../src/auth/keys.ts";
import { GrantSigner, GrantVerifier } from "../../../src/auth/signed-grant.ts";
import type { OpenRequest } from "../../../src/mux/channel.ts";
import { CLOSE } from "../../../src/mux/errors.ts";
import { Mux } from "../../../src/mux/mux.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";
import { type Opened, readReply } from "../../../src/protocol/open.ts";
import type { Grant } from "../../../src/protocol/rights.ts";
import { startDesk } from "../../support/desk.ts";
import { noPasses } from "../../support/relay.ts";
import { transportPair } from "../../support/transport-pair.ts";

const EXEC = { command: ["x"], tty: false, stdin: false };
const READ_ONLY = { stdin: false, stdout: true, stderr: true };
const GUEST: Grant = { subject: "guest", rights: ["attach-ro"], scopes: [] };
const OWNER: Grant = { subject: "owner", rights: ["admin"], scopes: [] };

test("a good grant opens the session that it names, with the rights that it names", async (t) => {
  const { ask, signed } = await scene(t);
  const opened = await ask(signed({ op: "exec", container: "web" }, EXEC));
  assert.equal(opened.session, "s-1");
  assert.equal(await code(ask(signed({ op: "exec", container: "web" }, EXEC, { grant: GUEST }))), "not-found");
});

test("a body may not ask for more than the rights in the grant", async (t) => {
  const { ask, signed } = await scene(t);
  const attach = { op: "attach", container: "web" };
  assert.ok("session" in (await ask(signed(attach, READ_ONLY, { grant: GUEST }))));
  const writing = signed(attach, { ...READ_ONLY, stdin: true }, { grant: GUEST, session: "s-2" });
  assert.equal(await code(ask(writing)), "not-found");
});

test("a body that is not the one that was signed is refused", async (t) => {
  const { ask, signed, desk } = await scene(t);
  const good = signed({ op: "exec", container: "web" }, EXEC);
  const swapped = { ...good, body: json({ ...EXEC, command: ["rm", "-rf", "/"] }) };
  assert.equal(await code(ask(swapped)), "bad-grant");
  assert.partialDeepStrictEqual(desk.audit.at(-1), {
    event: "refuse",
    outcome: "bad-grant",
    subject: "server:unknown",
  });
  assert.ok("session" in (await ask(good)));
});

test("a body that is not what its header says is refused", async (t) => {
  const { ask, signed } = await scene(t);
  assert.equal(await code(ask(signed({ op: "logs", container: "web" }, EXEC))), "bad-request");
});

test("a grant that was used and a channel without one are refused", async (t) => {
  const { ask, signed } = await scene(t);
  const good = signed({ op: "exec", container: "web" }, EXEC);
  assert.ok("session" in (await ask(good)));
  assert.equal(await code(ask(good)), "bad-grant");
  const bare = { header: json({ op: "exec", container: "web" }), body: json(EXEC) };
  assert.equal(await code(ask(bare)), "bad-request");
});

test("a session keeps its name for itself", async (t) => {
  const { ask, signed } = await scene(t);
  const exec = () => signed({ op: "exec", container: "web" }, EXEC);
  assert.ok("session" in (await ask(exec())));
  assert.equal(await code(ask(exec())), "bad-request");
});

test("nobody who comes through the server is taken for somebody of the agent's own", async (t) => {
  const { ask, signed, desk } = await scene(t);
  const client = desk.client();
  const own = await client.exec("web", EXEC, { onDrop: "keep" });
  const local: Grant = { subject: "test", rights: ["exec"], scopes: [] };
  const resume = { secret: own.secret, epoch: 2, received: 0 };
  const stolen = signed({ op: "resume", session: own.id }, resume, { grant: local, session: own.id });
  assert.equal(await code(ask(stolen)), "session-gone");
  await client.close();
});

test("a resume is authorised again", async (t) => {
  const { ask, signed } = await scene(t);
  const opened = await ask(signed({ op: "exec", container: "web", onDrop: "keep" }, EXEC));
  const body = { secret: opened.secret, epoch: 2, received: 0 };
  const header = { op: "resume", session: opened.session };
  const lesser: Grant = { ...OWNER, rights: ["logs"] };
  assert.equal(await code(ask(signed(header, body, { grant: lesser }))), "session-gone");
  assert.ok("session" in (await ask(signed(header, body))));
});

test("a connection to a proxied port is authorised again, for whoever opened its session and for nobody else", async (t) => {
  const { ask, signed } = await scene(t);
  const { session, secret } = await ask(signed({ op: "proxy", container: "web" }, { port: 80 }));
  const header = { op: "connect", session };
  const other: Grant = { ...OWNER, subject: "other" };
  const lesser: Grant = { ...OWNER, rights: ["forward"] };
  assert.equal(await code(ask(signed(header, { secret }, { grant: other }))), "session-gone");
  assert.equal(await code(ask(signed(header, { secret }, { grant: lesser }))), "not-found");
  assert.equal(await code(ask(signed(header, { secret: secret.toUpperCase() }))), "session-gone");
  await assert.rejects(ask(signed(header, { secret })), /carried/);
});

async function scene(t: TestContext) {
  const dial = () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const desk = await startDesk({ exec: async ({ ended }) => ended.then(() => ({ code: 0 })), dial });
  const key = newKey();
  const signer = new GrantSigner(key);
  const relayed = new Relayed({
    sessions: desk.sessions,
    passes: noPasses(desk.sessions),
    verifier: new GrantVerifier(() => ({ agent: "n1", key: key.publicKey })),
    serveHttp: (channel) => channel.close(4501, "no HTTP here"),
    carry: (channel, socket) => {
      socket.destroy();
      channel.close(CLOSE.normal, "carried");
    },
  });
  const { a, b } = transportPair();
  const accept = relayed.accept.bind(relayed);
  const agent = new Mux(a, { role: "dialler", software: "test", budget: desk.budget, accept });
  const server = new Mux(b, { role: "listener", software: "test", budget: desk.budget });
  t.after(async () => {
    agent.close(1000, "done");
    await desk.close();
  });
  const signed = (header: object, body: object, { grant = OWNER, session = "s-1" } = {}): OpenRequest => {
    const bytes = json(body);
    const token = signer.sign({ agent: "n1", grant, session, header: { ...header, node: "box" }, body: bytes });
    return { header: json({ grant: token }), body: bytes };
  };
  const ask = (request: OpenRequest) => answerOf(server, request);
  return { desk, ask, signed };
}

function answerOf(server: Mux, request: OpenRequest): Promise<Opened> {
  const channel = server.open(request);
  return new Promise((resolve, reject) => {
    const reply = (bytes: Uint8Array) => {
      const answer = readReply(bytes);
      if (answer instanceof FairleadError) reject(answer);
      else resolve(answer);
    };
    const close = ({ reason }: { reason: string }) => reject(new Error(`closed without an answer: ${reason}`));
    channel.start({ message() {}, credit() {}, ack() {}, reply, close });
  });
}

async function code(attempt: Promise<unknown>): Promise<string> {
  const error = await attempt.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof FairleadError, "it was let in");
  return error.code;
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
