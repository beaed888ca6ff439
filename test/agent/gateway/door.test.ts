import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { hostname } from "node:os";
import { after, before, beforeEach, suite, test } from "node:test";
import { newSecret } from "../../../src/auth/secret.ts";
import { SESSIONS_PATH } from "../../../src/protocol/version.ts";
import {
  type Answer,
  bearer,
  closed,
  code,
  converse,
  type Front,
  offer,
  requestText,
  signIn,
  startFront,
  ticketOf,
  upgrade,
} from "../../support/front.ts";

const LIST = "/api/v1/containers";

function isRefused(answer: Answer, status: number, expected: string): void {
  assert.deepEqual([answer.status, code(answer)], [status, expected]);
  assert.equal(answer.headers["content-type"], "application/problem+json");
  assert.ok(Buffer.byteLength(answer.body) <= 1_024);
}

suite("the door", () => {
  let front: Front;
  before(async () => {
    front = await startFront();
  });
  after(() => front[Symbol.asyncDispose]());
  // The throttle forgets between the tests.
  beforeEach(() => void (front.clock.ahead += 60_000));
  const get = (...headers: string[]) => front.ask({ path: LIST, headers: [bearer(front.admin), ...headers] });
  const dial = (...headers: string[]) => front.ask({ path: SESSIONS_PATH, headers: upgrade(offer(), ...headers) });

  test("answers under the names of this machine and no other", async () => {
    const answers = async (host: string) => {
      const answer = await front.ask({ path: LIST, host: false, headers: [`Host: ${host}`, bearer(front.admin)] });
      return answer.status;
    };
    const { port } = front;
    for (const host of [
      `127.0.0.1:${port}`,
      "127.0.0.1",
      "127.9.9.9",
      "localhost",
      "LOCALHOST:1",
      `[::1]:${port}`,
      hostname(),
    ])
      assert.equal(await answers(host), 200, host);
    for (const host of [
      "evil.test",
      `evil.test:${port}`,
      "127.0.0.1.evil.test",
      "localhost.evil.test",
      "localhost.",
      "x.localhost",
      "2130706433",
      "0x7f.1",
      "127.1",
      "0.0.0.0",
      "[::ffff:10.0.0.1]",
      "203.0.113.7",
      "localhost:99999999",
      "localhost@evil.test",
      "evil.test#localhost",
      "localhost, evil.test",
      "",
    ])
      assert.equal(await answers(host), 421, host);
  });

  test("wants exactly one Host and a path", async () => {
    const twice = [`Host: ${front.host}`, "Host: evil.test", bearer(front.admin)];
    assert.ok([400, 421].includes((await front.ask({ path: LIST, host: false, headers: twice })).status));
    for (const version of ["1.0", "1.1"]) {
      const none = await front.ask({ path: LIST, host: false, headers: [bearer(front.admin)], version });
      isRefused(none, 421, "wrong-host");
    }
    for (const path of [`http://${front.host}${LIST}`, `http://evil.test${LIST}`, "*"]) {
      const method = path === "*" ? "OPTIONS" : "GET";
      isRefused(await front.ask({ method, path, headers: [bearer(front.admin)] }), 400, "bad-request");
    }
  });

  test("checks the host of a WebSocket too", async () => {
    const headers = ["Host: evil.test", ...upgrade(offer(), bearer(front.admin))];
    isRefused(await front.ask({ path: SESSIONS_PATH, host: false, headers }), 421, "wrong-host");
  });

  test("hears its own page only, for requests and WebSockets alike", async () => {
    const own = `Origin: ${front.url}`;
    assert.equal((await get(own)).status, 200);
    const { port } = front;
    for (const origin of [
      "http://127.0.0.1:1",
      `http://localhost:${port}`,
      `https://127.0.0.1:${port}`,
      `http://127.0.0.1:${port}.evil.test`,
      `http://127.0.0.1:${port}/`,
      `http://127.0.0.1:${port}@evil.test`,
      `HTTP://127.0.0.1:${port}`,
      "http://evil.test",
      "null",
      "",
      "*",
    ]) {
      isRefused(await get(`Origin: ${origin}`), 403, "wrong-origin");
      isRefused(await dial(bearer(front.admin), `Origin: ${origin}`), 403, "wrong-origin");
    }
    isRefused(await get(own, "Origin: http://evil.test"), 403, "wrong-origin");
    isRefused(await dial(bearer(front.admin), own, own), 403, "wrong-origin");
  });

  test("lets a request without Origin change something, or open a WebSocket, with a bearer token only", async () => {
    const { cookie, secret, proof } = await signIn(front);
    isRefused(
      await front.ask({ method: "POST", path: "/api/v1/tickets", headers: [cookie, secret] }),
      403,
      "wrong-origin",
    );
    isRefused(await dial(cookie, secret), 403, "wrong-origin");
    const ticket = await ticketOf(front, proof);
    isRefused(await front.ask({ path: SESSIONS_PATH, headers: upgrade(offer(ticket), cookie) }), 403, "wrong-origin");
    const answer = await front.ask({ method: "POST", path: "/api/v1/tickets", headers: [bearer(front.admin)] });
    assert.equal(answer.status, 200);
  });

  test("takes neither half of a page's proof for the whole", async () => {
    const { cookie, secret, origin } = await signIn(front);
    assert.equal((await front.ask({ path: LIST, headers: [cookie, secret] })).status, 200);
    for (const headers of [
      [cookie],
      [secret],
      [cookie, secret.slice(0, -1)],
      [cookie, secret, secret],
      [cookie, cookie, secret],
    ])
      isRefused(await front.ask({ path: LIST, headers }), 401, "unauthenticated");
    isRefused(await dial(cookie, secret, origin), 401, "unauthenticated");
  });

  test("refuses every wrong token the same way", async () => {
    const wrong = ["", newSecret(), front.admin.slice(1), `${front.admin}=`, "x".repeat(10_000)];
    for (const token of wrong) {
      front.clock.ahead += 60_000;
      isRefused(await front.ask({ path: LIST, headers: [bearer(token)] }), 401, "unauthenticated");
      isRefused(await dial(bearer(token)), 401, "unauthenticated");
    }
    front.clock.ahead += 60_000;
    isRefused(
      await front.ask({ path: LIST, headers: [`Authorization: Basic ${front.admin}`] }),
      401,
      "unauthenticated",
    );
    isRefused(await front.ask({ path: LIST, headers: [`Authorization: ${front.admin}`] }), 401, "unauthenticated");
    isRefused(await front.ask({ path: LIST }), 401, "unauthenticated");
  });

  test("does not read a token, a ticket or a code from the address", async () => {
    const { proof } = await signIn(front);
    const ticket = await ticketOf(front, proof);
    for (const query of [`token=${front.admin}`, `ticket=${ticket}`, `access_token=${front.admin}`]) {
      assert.equal((await front.ask({ path: `${LIST}?${query}` })).status, 401);
      const headers = upgrade(offer(), `Origin: ${front.url}`);
      assert.equal((await front.ask({ path: `${SESSIONS_PATH}?${query}`, headers })).status, 401);
      isRefused(await front.ask({ path: `${LIST}?${query}`, headers: [bearer(front.admin)] }), 400, "bad-request");
    }
  });

  test("opens a WebSocket for a ticket once, within 30 seconds, for the page that asked for it", async () => {
    const [page, other] = [await signIn(front), await signIn(front)];
    const enter = (ticket: string, ...headers: string[]) => handshake(front, upgrade(offer(ticket), ...headers));
    const ticket = await ticketOf(front, page.proof);
    assert.equal(await enter(ticket, page.cookie, page.origin), 101);
    assert.equal(await enter(ticket, page.cookie, page.origin), 401, "used");
    assert.equal(await enter(await ticketOf(front, page.proof), page.origin), 401, "without the cookie");
    assert.equal(await enter(await ticketOf(front, page.proof), other.cookie, page.origin), 401, "another page");
    assert.equal(await enter(newSecret(), page.cookie, page.origin), 401, "invented");
    const late = await ticketOf(front, page.proof);
    front.clock.ahead += 30_000;
    assert.equal(await enter(late, page.cookie, page.origin), 401, "expired");
  });

  test("decides by the route and not by the look of a path", async () => {
    for (const path of [
      "/api/v1/containers/.js",
      "/api/v1/containers/x.css",
      "/healthz/../api/v1/containers",
      "/healthz/%2e%2e/api/v1/containers",
      "/healthz/..%2fapi/v1/containers",
      "//api/v1/containers",
      "/api//v1/containers",
      "/API/v1/containers",
      "/api/v1/containers/",
      "/api/v1/containers;x=.js",
      "/api/v1/containers%00.js",
      "/api/v1/containers%2F",
      "/api/v1/%63ontainers",
      "/api/v1/containers%",
      "/api/v1/containers?x=/healthz",
      "/api/v1/containers#/healthz",
      "/\\api\\v1\\containers",
      "/metrics/",
      "/metrics?x=1",
    ]) {
      const answer = await front.ask({ path });
      assert.ok([400, 401, 404].includes(answer.status), `${path}: ${answer.status}`);
      assert.equal(answer.headers["content-type"], "application/problem+json", path);
      const upgraded = await front.ask({ path, headers: upgrade(offer(), `Origin: ${front.url}`) });
      assert.ok([400, 401, 404].includes(upgraded.status), `${path}: ${upgraded.status}`);
    }
  });

  test("upgrades nothing but the door of sessions, and closes what it refuses", async () => {
    const { proof } = await signIn(front);
    for (const path of ["/healthz", "/readyz", LIST, "/metrics", "/nowhere", "/%"]) {
      const headers = upgrade(offer(), bearer(front.admin), `Origin: ${front.url}`);
      assert.ok([400, 404].includes((await front.ask({ path, headers })).status), path);
    }
    isRefused(await front.ask({ path: SESSIONS_PATH, headers: proof }), 404, "not-found");
    const post = { method: "POST", path: SESSIONS_PATH, headers: upgrade(offer(), bearer(front.admin)) };
    assert.equal((await front.ask(post)).status, 404);
    const h2c = [
      "Connection: Upgrade, HTTP2-Settings",
      "Upgrade: h2c",
      "HTTP2-Settings: AAMAAABk",
      bearer(front.admin),
    ];
    const text = requestText(front.host, { path: SESSIONS_PATH, headers: h2c });
    const second = requestText(front.host, { path: "/healthz" });
    const answer = await converse(front.port, text + second);
    assert.equal(answer.status, 404, "any other protocol is an ordinary request, and the last one");
    assert.ok(!answer.body.includes("HTTP/1.1"));
  });

  test("wants the subprotocol that it speaks", async () => {
    for (const protocol of ["", "Sec-WebSocket-Protocol: fairlead.v2", "Sec-WebSocket-Protocol: chat"]) {
      const headers = upgrade(bearer(front.admin), ...(protocol === "" ? [] : [protocol]));
      isRefused(await front.ask({ path: SESSIONS_PATH, headers }), 400, "bad-request");
    }
  });

  test("never lets what follows a refused handshake through", async () => {
    const refused = requestText(front.host, { path: SESSIONS_PATH, headers: upgrade(offer()) });
    const smuggled = requestText(front.host, { path: "/healthz" });
    const answer = await converse(front.port, refused + smuggled);
    assert.equal(answer.status, 403);
    assert.ok(!answer.body.includes("HTTP/1.1"));
  });

  test("refuses what is no HTTP in the same words, and hangs up", async () => {
    for (const text of [
      "garbage\r\n\r\n",
      "GET / HTTP/9.9\r\n\r\n",
      `GET /healthz HTTP/1.1\r\nHost: ${front.host}\r\n folded\r\n\r\n`,
    ])
      isRefused(await converse(front.port, text), 400, "bad-request");
    const huge = requestText(front.host, { headers: [`X: ${"x".repeat(20_000)}`] });
    isRefused(await converse(front.port, huge), 413, "too-large");
    const smuggling = ["Content-Length: 5", "Transfer-Encoding: chunked"];
    assert.equal((await front.ask({ method: "POST", path: "/api/v1/sign-in", headers: smuggling })).status, 400);
  });
});

suite("a fault behind the door", () => {
  test("keeps it shut", async (t) => {
    await using front = await startFront();
    const fault = new Error(`the database at ${newSecret()} is gone`);
    t.mock.method(front.credentials.tokens, "verify", () => {
      throw fault;
    });
    for (const asking of [{ path: LIST }, { path: "/metrics" }, { path: SESSIONS_PATH, headers: upgrade(offer()) }]) {
      const headers = [...(asking.headers ?? []), bearer(front.admin)];
      const answer = await front.ask({ ...asking, headers });
      isRefused(answer, 500, "internal");
      assert.ok(!answer.body.includes("database"));
    }
    const health = await front.ask({ path: "/healthz", headers: [bearer(front.admin)] });
    assert.deepEqual([health.status, health.body], [200, '{"status":"ok"}']);
    assert.ok(front.log.length > 0);
  });

  test("ends the socket that met it and nothing else", async () => {
    const fail = () => {
      throw new Error("no desk");
    };
    const sessions = { serve: fail, open: fail, check: fail, connect: fail, control: fail };
    await using front = await startFront({ gateway: { sessions } });
    const socket = connect(front.port, "127.0.0.1").resume();
    socket.write(requestText(front.host, { path: SESSIONS_PATH, headers: upgrade(offer(), bearer(front.admin)) }));
    await closed(socket);
    assert.equal((await front.ask({ path: "/healthz" })).status, 200);
  });

  test("is not made by a header that every object inherits", async () => {
    await using front = await startFront();
    for (const { method, url } of front.gateway.routes) {
      const headers = ["__proto__: x", "constructor: y", `Origin: ${front.url}`];
      const answer = await front.ask({ method, path: url.replace(":ref", "__proto__"), headers });
      assert.ok(answer.status >= 200 && answer.status < 500, url);
    }
    assert.deepEqual(Object.keys(Object.prototype), []);
  });
});

/** The status of a handshake; a socket that opens is closed again. */
async function handshake(front: Front, headers: string[]): Promise<number> {
  const socket = connect(front.port, "127.0.0.1");
  socket.write(requestText(front.host, { path: SESSIONS_PATH, headers }));
  const [first] = (await once(socket, "data", { signal: AbortSignal.timeout(5_000) })) as [Buffer];
  socket.destroy();
  return Number(first.toString("latin1").split(" ")[1]);
}
