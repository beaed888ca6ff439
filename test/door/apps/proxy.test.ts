import assert from "node:assert/strict";
import { once } from "node:events";
import type { RequestListener } from "node:http";
import { mock, suite, test } from "node:test";
import { Addresses } from "../../../src/door/apps/addresses.ts";
import { Invitations } from "../../../src/door/apps/invitations.ts";
import { newSecret } from "../../../src/auth/secret.ts";
import { clocks } from "../../support/clocks.ts";
import { until } from "../../support/until.ts";
import { container } from "../../support/scripted-runtime.ts";
import { bearer, code, json, signIn, upgrade } from "../../support/front.ts";
import { APP_PORT, endless, Proxied, stayInside } from "./proxied.ts";

const hello: RequestListener = (_request, response) => void response.end("hello");

suite("a container's page", () => {
  test("opens once with a link, on an origin of its own, and then with the cookie that it gave", async () => {
    await using proxied = await Proxied.open(hello);
    const link = await proxied.link();
    assert.match(link.host, /^web-8080-[0-9a-f]{24}\.localhost:\d+$/);
    const redirect = await proxied.ask(link.host, { path: link.pathname + link.search });
    assert.deepEqual([redirect.status, redirect.headers["location"]], [303, "/"]);
    assert.match(
      redirect.headers["set-cookie"] ?? "",
      /^__Host-fairlead-app=[\w-]{43}; Path=\/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure$/,
    );
    const again = await proxied.ask(link.host, { path: link.pathname + link.search });
    assert.deepEqual([again.status, code(again)], [401, "unauthenticated"]);
    const visitor = await proxied.visit();
    const answer = await visitor.ask();
    assert.deepEqual([answer.status, answer.body], [200, "hello"]);
    assert.equal(visitor.host, link.host);
  });

  test("is there for nobody without its own cookie, which opens nothing else", async () => {
    await using proxied = await Proxied.open(hello);
    const visitor = await proxied.visit();
    const other = await proxied.link({ port: 81 });
    const cookies = [[], ["Cookie: __Host-fairlead-app=x"], [visitor.cookie, visitor.cookie]];
    for (const headers of cookies) {
      const plain = await proxied.ask(visitor.host, { headers });
      assert.deepEqual([plain.status, code(plain)], [401, "unauthenticated"]);
      const socket = await proxied.ask(visitor.host, { headers: [...upgrade(), ...headers] });
      assert.deepEqual([socket.status, code(socket)], [401, "unauthenticated"]);
    }
    for (const host of [other.host, visitor.host.replace(/:\d+$/, ":9")])
      assert.equal((await proxied.ask(host, { headers: [visitor.cookie] })).status, 401, host);
    const elsewhere = await proxied.ask(visitor.host, { path: other.pathname + other.search });
    assert.deepEqual([elsewhere.status, code(elsewhere)], [401, "unauthenticated"]);
    const onGateway = await proxied.front.ask({ path: "/api/v1/whoami", headers: [visitor.cookie] });
    assert.equal(onGateway.status, 401);
    assert.equal(proxied.dialled.length, 0);
  });

  test("is on no host that was not given away, and the agent's own routes are on none that was", async () => {
    await using proxied = await Proxied.open(hello);
    const { host } = await proxied.visit();
    const { port } = proxied.front;
    const token = [bearer(proxied.front.admin)];
    for (const name of [
      "web.localhost",
      "x.example.com",
      `${host.split(".")[0]}.example.com`,
      `a.${host.split(":")[0]}`,
    ]) {
      const answer = await proxied.ask(`${name}:${port}`, { headers: token });
      assert.deepEqual([answer.status, code(answer)], [421, "wrong-host"], name);
    }
    const twice = await proxied.ask(host, { headers: [`Host: ${host}`] });
    assert.notEqual(twice.status, 200);
    assert.equal((await proxied.ask(host, { path: "/api/v1/containers", headers: token })).status, 401);
  });

  test("answers its own pages only, and whoever follows a link to it", async () => {
    await using proxied = await Proxied.open(hello);
    const visitor = await proxied.visit();
    const ask = async (method: string, ...headers: string[]) => (await visitor.ask({ method, headers })).status;
    const own = `Origin: http://${visitor.host}`;
    const foreign = ["Origin: http://evil.localhost", `Origin: http://${proxied.front.host}`, "Origin: null"];
    assert.equal(await ask("POST", own), 200);
    for (const origin of foreign) assert.equal(await ask("POST", origin), 403, origin);
    for (const origin of foreign) assert.equal(await ask("GET", ...upgrade(), origin), 403, origin);
    for (const site of ["same-site", "cross-site"]) {
      const from = [`Sec-Fetch-Site: ${site}`, "Sec-Fetch-Mode: navigate"];
      assert.equal(await ask("GET", ...from, "Sec-Fetch-Dest: document"), 200, site);
      assert.equal(await ask("GET", ...from, "Sec-Fetch-Dest: iframe"), 403, site);
      assert.equal(await ask("POST", ...from, "Sec-Fetch-Dest: document"), 403, site);
      assert.equal(await ask("GET", `Sec-Fetch-Site: ${site}`, "Sec-Fetch-Mode: no-cors"), 403, site);
    }
    assert.equal(await ask("POST", "Sec-Fetch-Site: same-origin", "Origin: null"), 200);
    assert.equal(await ask("GET", "Sec-Fetch-Site: same-origin", "Service-Worker: script"), 403);
  });

  test("is opened by whoever may, and looks absent to everybody else", async () => {
    const token = newSecret();
    const may = { token, grant: { subject: "blue", rights: ["proxy" as const], scopes: [{ team: "blue" }] } };
    const containers = [
      container({ id: "b".repeat(64), name: "blue", labels: { team: "blue" } }),
      container({ id: "e".repeat(64), name: "red", labels: { team: "red" } }),
      container({ id: "d".repeat(64), name: "done", labels: { team: "blue" }, state: "exited" }),
    ];
    await using proxied = await Proxied.open(hello, { tokens: [may], desk: { containers } });
    const open = (ref: string, body: unknown) => {
      const path = `/api/v1/containers/${ref}/open`;
      return proxied.front.ask({ method: "POST", path, headers: [bearer(token)], body: JSON.stringify(body) });
    };
    assert.equal((await open("blue", { port: APP_PORT })).status, 200);
    const [forbidden, absent] = [await open("red", { port: 1 }), await open("der", { port: 1 })];
    assert.deepEqual([forbidden.status, forbidden.bytes.replaceAll("red", "der")], [404, absent.bytes]);
    assert.deepEqual(code(await open("done", { port: 1 })), "not-running");
    for (const body of [{}, { port: 0 }, { port: 65_536 }, { port: "80" }, { port: 80.5 }, { port: 80, host: "x" }])
      assert.equal((await open("blue", body)).status, 400, JSON.stringify(body));
    const [refusal] = proxied.front.desk.audit;
    assert.deepEqual([refusal?.event, refusal?.kind, refusal?.reference], ["refuse", "proxy", "red"]);
  });

  test("is one session, however much is asked: who, what, how long, how much", async () => {
    await using proxied = await Proxied.open(hello);
    const visitor = await proxied.visit();
    for (let i = 0; i < 3; i++) await visitor.ask();
    assert.deepEqual(proxied.front.desk.sessions.counts(), { proxy: 1 });
    proxied.front.credentials.tokens.revoke("local");
    await proxied.noSessions();
    const [open, end] = proxied.front.desk.audit;
    assert.deepEqual(
      [open?.event, open?.kind, open?.subject, open?.containerName, open?.ports, open?.remote],
      ["open", "proxy", "local", "web", [APP_PORT], "127.0.0.1 http"],
    );
    assert.deepEqual([end?.event, end?.outcome, end?.connections], ["end", "revoked", 1]);
    assert.ok((end?.bytesIn ?? 0) > 100 && (end?.bytesOut ?? 0) > 100);
  });

  test("asks the desk for the container at each dial, and keeps a few connections for the next request", async () => {
    const worlds = [[container({})], [container({ id: "c".repeat(64) })], []];
    let world = 0;
    const list = async () => worlds[world] ?? [];
    await using proxied = await Proxied.open(hello, { desk: { containers: worlds[0] ?? [], list } });
    const visitor = await proxied.visit();
    for (let i = 0; i < 4; i++) assert.equal((await visitor.ask({ headers: ["Connection: close"] })).status, 200);
    assert.equal(proxied.dialled.length, 1);
    world = 2;
    await proxied.front.desk.containers.refresh();
    proxied.dialled[0]?.destroy();
    const gone = await visitor.ask();
    assert.deepEqual([gone.status, code(gone)], [404, "not-found"]);
    world = 1;
    await proxied.front.desk.containers.refresh();
    assert.equal((await visitor.ask()).status, 200);
  });

  test("is limited like every session", async () => {
    await using proxied = await Proxied.open(hello, { desk: { limits: { sessionsPerContainer: 1, connections: 0 } } });
    const links = [await proxied.link(), await proxied.link()];
    const visitor = await proxied.visit(links[0]);
    const { pathname, search, host } = links[1] ?? new URL("");
    const second = await proxied.ask(host, { path: pathname + search });
    assert.deepEqual([second.status, code(second)], [429, "too-many"]);
    const dial = await visitor.ask();
    assert.deepEqual([dial.status, code(dial)], [429, "too-many"]);
  });
});

suite("an open page of a container", () => {
  test("ends with what comes first: the token that opened it, the page that did, or the session's own end", async () => {
    await using proxied = await Proxied.open(endless);
    const withToken = await proxied.visit();
    const inside = await stayInside(withToken);
    const revoked = performance.now();
    proxied.front.credentials.tokens.revoke("local");
    await inside.ended;
    assert.ok(performance.now() - revoked < 5_000);
    assert.equal((await withToken.ask()).status, 401);
    await proxied.nothingInside();

    await using other = await Proxied.open(endless);
    const page = await signIn(other.front);
    const headers = page.proof;
    const asking = { method: "POST", path: "/api/v1/containers/web/open", headers, body: `{"port":${APP_PORT}}` };
    const visitor = await other.visit(new URL(String(json(await other.front.ask(asking))["url"])));
    const opened = await stayInside(visitor);
    assert.equal((await other.front.ask({ method: "POST", path: "/api/v1/sign-out", headers })).status, 204);
    await opened.ended;
    assert.equal((await visitor.ask()).status, 401);

    await using third = await Proxied.open(endless);
    const last = await third.visit();
    const cut = await stayInside(last);
    await third.front.desk.sessions.close();
    await cut.ended;
    await third.nothingInside();
  });

  test("is finished when the agent stops, and takes nothing new", async () => {
    await using proxied = await Proxied.open(endless);
    const [idle, busy] = [await proxied.visit(), await proxied.visit()];
    const client = busy.say(busy.text());
    await once(client, "data");
    await proxied.front.gateway.drain();
    await until("one session", () => proxied.front.desk.sessions.counts()["proxy"] === 1);
    for (const visitor of [idle, busy]) assert.equal((await visitor.ask()).status, 503);
    client.destroy();
    await proxied.noSessions();
  });

  test("ends after a day, whatever happens", async () => {
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      await using proxied = await Proxied.open(hello);
      await proxied.visit();
      mock.timers.tick(24 * 3_600_000);
      mock.timers.reset();
      await proxied.noSessions();
    } finally {
      mock.timers.reset();
    }
  });
});

suite("the address of an app", () => {
  const addresses = new Addresses({ program: "box", secure: false, appsUrl: "https://apps.example.com:8443" });

  test("is a good host name and another one for each container, port and agent", () => {
    const names = ["web", "Web", "WEB", "we_b", "we-b", "we--b", "we.b", "xn--b", "_", "long".repeat(30)];
    const labels = names.map((name) => addresses.labelOf({ container: name, port: 80 }));
    for (const label of labels) assert.match(label, /^(?!.*--)[a-z0-9][a-z0-9-]{0,61}[a-z0-9]$/);
    labels.push(addresses.labelOf({ container: "web", port: 81 }));
    labels.push(
      new Addresses({ program: "bax", secure: false, appsUrl: undefined }).labelOf({ container: "web", port: 80 }),
    );
    assert.equal(new Set(labels).size, labels.length);
    const longest = addresses.labelOf({ node: "box", container: "long".repeat(30), port: 65_535 });
    assert.match(longest, /^[a-z-]{32}-65535-[0-9a-f]{24}$/);
    assert.equal(longest.length, 63);
  });

  test("is below localhost for this machine, below the configured address for others, and nowhere else", () => {
    const port = { container: "web", port: 80 };
    const label = addresses.labelOf(port);
    const origin = (host: string, page?: string) => addresses.originFor(port, { host, origin: page });
    assert.equal(origin("127.0.0.1:9090"), `http://${label}.localhost:9090`);
    assert.equal(origin("[::1]:9090"), `http://${label}.localhost:9090`);
    assert.equal(origin("localhost", "https://localhost"), `https://${label}.localhost`);
    assert.equal(origin("box:9090"), `https://${label}.apps.example.com:8443`);
    assert.equal(origin("127.0.0.1:9090", "https://gw.example.com"), `https://${label}.apps.example.com:8443`);
    const alone = new Addresses({ program: "box", secure: true, appsUrl: undefined });
    assert.throws(() => alone.originFor(port, { host: "box:9090", origin: undefined }), { code: "unsupported" });
    for (const _ of [1, 2])
      assert.deepEqual(addresses.parse(`${label}.localhost:9090`), {
        label,
        origin: `http://${label}.localhost:9090`,
        cookieName: "__Host-fairlead-app",
      });
    assert.equal(addresses.parse(`${label}.apps.example.com`)?.origin, `https://${label}.apps.example.com:8443`);
    for (const host of [
      "localhost",
      "a.b.localhost",
      "apps.example.com",
      "x.apps.example.com.evil",
      "x.localhost.",
      `x.localhost:${"1".repeat(260)}`,
      "",
    ])
      assert.equal(addresses.parse(host), undefined, host);
  });

  test("opens for thirty seconds, once, where it was meant to", () => {
    let now = 1_000;
    const invitations = new Invitations(() => now);
    const { signal: revoked } = new AbortController();
    const wanted = { container: "web", port: 80, origin: "http://a.localhost" };
    const issue = (name = "x") => {
      const subject = { grant: { subject: name, rights: [], scopes: [] }, revoked };
      return invitations.issue({ ...wanted, identity: { subject } }).code;
    };
    const [used, late, elsewhere] = [issue(), issue(), issue()];
    assert.equal(invitations.redeem(elsewhere, "http://b.localhost"), undefined);
    assert.equal(invitations.redeem(elsewhere, wanted.origin), undefined);
    now += 29_999;
    assert.equal(invitations.redeem(used, wanted.origin)?.container, "web");
    assert.equal(invitations.redeem(used, wanted.origin), undefined);
    now += 1;
    assert.equal(invitations.redeem(late, wanted.origin), undefined);
    for (let i = 0; i < 1_000; i++) issue(`person ${i}`);
    assert.throws(issue, { code: "too-many" });
  });

  test("opens for as long however the clock is set, awake or asleep, and tells its end on the clock as it is", (t) => {
    const { jump, suspend } = clocks(t);
    const invitations = new Invitations();
    const { signal: revoked } = new AbortController();
    const identity = { subject: { grant: { subject: "x", rights: [], scopes: [] }, revoked } };
    const wanted = { container: "web", port: 80, origin: "http://a.localhost", identity };
    for (const ms of [-86_400_000, 86_400_000]) {
      const [used, late] = [invitations.issue(wanted), invitations.issue(wanted)];
      const left = late.expires - Date.now();
      assert.ok(left > 0 && left <= 30_000, `${left} ms`);
      jump(ms);
      assert.equal(invitations.redeem(used.code, wanted.origin)?.container, "web");
      suspend(30_000);
      assert.equal(invitations.redeem(late.code, wanted.origin), undefined);
    }
  });
});
