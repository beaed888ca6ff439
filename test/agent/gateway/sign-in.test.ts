import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { WebSocket } from "ws";
import { newSecret } from "../../../src/auth/secret.ts";
import { Client } from "../../../src/client/client.ts";
import { browserTransport } from "../../../src/mux/transport.ts";
import { PAGE_SECRET_HEADER, SESSIONS_PATH, SUBPROTOCOL, TICKET_PREFIX } from "../../../src/protocol/version.ts";
import {
  bearer,
  code,
  converse,
  type Front,
  json,
  requestText,
  signIn,
  startFront,
  ticketOf,
} from "../../support/front.ts";

const SIGN_IN = "/api/v1/sign-in";

function post(front: Front, path: string, headers: string[], body?: object) {
  const text = body === undefined ? {} : { body: JSON.stringify(body) };
  return front.ask({ method: "POST", path, headers, ...text });
}

suite("signing in", () => {
  test("trades a code for a cookie that only this agent's address gets, and a secret", async () => {
    await using front = await startFront();
    const issued = json(await post(front, "/api/v1/codes", [bearer(front.admin)]));
    assert.ok(Number(issued["expires"]) > Date.now());
    const answer = await post(front, SIGN_IN, [`Origin: ${front.url}`], { code: issued["code"] });
    const attributes = "Path=/; Max-Age=604800; Secure; HttpOnly; SameSite=Strict";
    const cookie = new RegExp(`^__Host-fairlead-${front.port}=[\\w-]{43}; ${attributes}$`);
    assert.match(answer.headers["set-cookie"] ?? "", cookie);
    assert.match(String(json(answer)["secret"]), /^[\w-]{43}$/);
    assert.equal(answer.headers["cache-control"], "no-store");
    const again = await post(front, SIGN_IN, [`Origin: ${front.url}`], { code: issued["code"] });
    assert.deepEqual([again.status, code(again)], [401, "unauthenticated"]);
    assert.equal(again.headers["set-cookie"], undefined);
  });

  test("takes nothing but a code", async () => {
    await using front = await startFront();
    for (const body of [{}, { code: "" }, { code: 1 }, { code: "A".repeat(129) }, { code: "A", more: 1 }, [], "text"]) {
      const answer = await post(front, SIGN_IN, [`Origin: ${front.url}`], body as object);
      assert.deepEqual([answer.status, code(answer)], [400, "bad-request"], JSON.stringify(body));
    }
    for (const body of ["", "{", '{"code":"x","__proto__":{}}', '{"code":"x","constructor":{"prototype":{}}}']) {
      const answer = await front.ask({ method: "POST", path: SIGN_IN, headers: [`Origin: ${front.url}`], body });
      assert.deepEqual([answer.status, code(answer)], [400, "bad-request"], body);
    }
    const huge = await front.ask({
      method: "POST",
      path: SIGN_IN,
      headers: [`Origin: ${front.url}`],
      body: "x".repeat(20_000),
    });
    assert.deepEqual([huge.status, code(huge)], [413, "too-large"]);
    const form = ["Content-Type: application/x-www-form-urlencoded", "Content-Length: 6", `Origin: ${front.url}`];
    const text = await front.ask({ method: "POST", path: SIGN_IN, headers: form });
    assert.equal(text.status, 400);
  });

  test("checks a body whatever it is called (CVE-2025-32442)", async () => {
    await using front = await startFront();
    const body = '{"code":1}';
    for (const type of [
      "application/JSON",
      "application/json ;x",
      "application/json;charset=utf-8",
      "application/json\t",
      "application/json, text/plain",
      "application/vnd.api+json",
      "text/plain",
      "multipart/form-data; boundary=x",
      "*/*",
      "",
    ]) {
      const headers = [`Origin: ${front.url}`, `Content-Type: ${type}`, `Content-Length: ${body.length}`];
      const head = requestText(front.host, { method: "POST", path: SIGN_IN, headers });
      const answer = await converse(front.port, head + body);
      assert.deepEqual([answer.status, code(answer)], [400, "bad-request"], type);
    }
  });

  test("slows down whoever guesses, then refuses to compare at all", async () => {
    await using front = await startFront();
    const guess = (guessed: string) => post(front, SIGN_IN, [`Origin: ${front.url}`], { code: guessed });
    for (let i = 0; i < 10; i++) front.credentials.throttle.failed("token loopback");
    const issuer = front.credentials.tokens.verify(front.admin);
    assert.ok(issuer);
    const { code: right } = front.credentials.codes.issue(issuer);
    const neighbour = await guess(front.credentials.codes.issue(issuer).code);
    assert.equal(neighbour.status, 200, "wrong tokens do not keep a neighbour from signing in");
    for (let i = 0; i < 10; i++) front.credentials.throttle.failed("code loopback");
    const refused = await guess(right);
    assert.deepEqual([refused.status, code(refused)], [429, "too-many"]);
    assert.ok(Number(refused.headers["retry-after"]) > 0);
    assert.equal((await front.ask({ path: "/api/v1/whoami", headers: [bearer(front.admin)] })).status, 200);
    const wrong = await front.ask({ path: "/api/v1/whoami", headers: [bearer(newSecret())] });
    assert.deepEqual([wrong.status, code(wrong)], [429, "too-many"]);
    front.clock.ahead += 60_000;
    assert.equal((await guess(right)).status, 200);
  });

  test("believes X-Forwarded-For from a trusted proxy only", async () => {
    const spoofed = (client: string) => [bearer(newSecret()), `X-Forwarded-For: ${client}`];
    const last = async (front: Front) => {
      for (let i = 0; i < 10; i++) front.credentials.throttle.failed("token loopback");
      return (await front.ask({ path: "/api/v1/whoami", headers: spoofed("203.0.113.7") })).status;
    };
    await using direct = await startFront();
    assert.equal(await last(direct), 429, "still the same source");
    await using behind = await startFront({ config: { trustedProxies: ["127.0.0.0/8"] } });
    assert.equal(await last(behind), 401, "another source");
  });

  test("tells who one is", async () => {
    await using front = await startFront();
    const { proof } = await signIn(front);
    const who = json(await front.ask({ path: "/api/v1/whoami", headers: proof }));
    assert.match(String(who["subject"]), /^page:[0-9a-f]{12}$/);
    assert.deepEqual([who["node"], who["rights"], who["scopes"]], ["test", ["admin"], []]);
  });
});

suite("signing out", () => {
  test("ends the page's sessions, sockets and watches, and no one else's", async () => {
    await using front = await startFront({ desk: { exec: ({ ended }) => ended.then(() => ({ code: 0 })) } });
    const [leaving, staying] = [await signIn(front), await signIn(front)];
    const [gone, kept] = [await pageSocket(front, leaving), await pageSocket(front, staying)];
    const watch = front.ask({ path: "/api/v1/containers?watch=1", headers: leaving.proof });
    const client = new Client({ software: "test", dial: async () => gone.transport });
    const session = await client.exec("web", { command: ["cat"], tty: false, stdin: true });
    const closing = once(gone.socket, "close", { signal: AbortSignal.timeout(5_000) });
    const answer = await post(front, "/api/v1/sign-out", leaving.proof);
    assert.equal(answer.status, 204);
    assert.match(answer.headers["set-cookie"] ?? "", /^__Host-fairlead-\d+=; Path=\/; Max-Age=0; Secure/);
    assert.equal((await closing)[0], 4401);
    await assert.rejects(session.send({ type: "end" }));
    const [, last] = (await watch).body.split("\r\n").filter((line) => line.startsWith("{"));
    assert.equal(JSON.parse(last ?? "")["code"], "revoked");
    assert.equal((await front.ask({ path: "/api/v1/whoami", headers: leaving.proof })).status, 401);
    assert.equal((await front.ask({ path: "/api/v1/whoami", headers: staying.proof })).status, 200);
    assert.equal(kept.socket.readyState, WebSocket.OPEN);
    await client.close();
    kept.socket.terminate();
  });

  test("is for pages: a token is taken out of the configuration", async () => {
    await using front = await startFront();
    const answer = await post(front, "/api/v1/sign-out", [bearer(front.admin)]);
    assert.deepEqual([answer.status, code(answer)], [400, "bad-request"]);
  });
});

test("no secret is ever logged", async () => {
  await using front = await startFront();
  const page = await signIn(front);
  const ticket = await ticketOf(front, page.proof);
  const { code: issued } = json(await post(front, "/api/v1/codes", [bearer(front.admin)])) as { code: string };
  const wrong = newSecret();
  const secrets = [
    front.admin,
    page.cookie.split("=")[1],
    page.secret.slice(PAGE_SECRET_HEADER.length + 2),
    ticket,
    issued,
    wrong,
  ];
  for (const secret of secrets) {
    await front.ask({ path: `/nowhere/${secret}?x=${secret}`, headers: [bearer(wrong), `Cookie: x=${secret}`] });
    await front.ask({ path: `/api/v1/containers/${secret}`, headers: [`Authorization: ${secret}`] });
    await post(front, SIGN_IN, [`Origin: ${front.url}`], { code: secret, more: secret });
    await front.ask({ path: `/%${secret}` });
    front.clock.ahead += 60_000;
  }
  const log = JSON.stringify(front.log);
  assert.ok(log.length > 1_000, "there is a log");
  for (const secret of secrets) assert.ok(secret && !log.includes(secret), secret);
});

/** A page's WebSocket, opened with a ticket. */
async function pageSocket(front: Front, page: Awaited<ReturnType<typeof signIn>>) {
  const protocols = [SUBPROTOCOL, `${TICKET_PREFIX}${await ticketOf(front, page.proof)}`];
  const headers = { cookie: page.cookie.slice(8), origin: front.url };
  const socket = new WebSocket(`ws://${front.host}${SESSIONS_PATH}`, protocols, { headers });
  const transport = await new Promise<ReturnType<typeof browserTransport>>((resolve, reject) => {
    socket.once("open", () => resolve(browserTransport(socket)));
    socket.once("error", reject);
  });
  assert.equal(socket.protocol, SUBPROTOCOL);
  return { socket, transport };
}
