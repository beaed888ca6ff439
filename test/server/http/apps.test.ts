/** The pages of containers on hosts that only their server reaches: who gets in, what ends it, and what nobody gets. */

import assert from "node:assert/strict";
import type { RequestListener } from "node:http";
import type { Socket } from "node:net";
import { suite, test } from "node:test";
import { CLOSE } from "../../../src/mux/errors.ts";
import { Mux } from "../../../src/mux/mux.ts";
import { json } from "../../../src/protocol/json.ts";
import { readReply } from "../../../src/protocol/open.ts";
import { PAGE_SECRET_HEADER, SESSIONS_PATH } from "../../../src/protocol/version.ts";
import { Budget } from "../../../src/mux/budget.ts";
import { APP_PORT, endless, Proxied, stayInside, type Visitor } from "../../door/apps/proxied.ts";
import { bearer, code, converse, json as jsonOf, requestText, upgrade } from "../../support/front.ts";
import { Fleet } from "../../support/fleet.ts";
import { dial } from "../../support/relay.ts";
import { container } from "../../support/scripted-runtime.ts";
import { until } from "../../support/until.ts";

/** For how long withdrawn access may still be used, in milliseconds. */
const SOON_MS = 5_000;
const BUDGET = 1_048_576;
const hello: RequestListener = (_request, response) => void response.end("hello");

/** A token of the server's for these rights. */
async function newToken({ fleet }: Proxied, name: string, wish: object): Promise<string> {
  return (await fleet.post<{ token: string }>("/api/v1/tokens", { name, ...wish })).token;
}

suite("a container's page behind a server", () => {
  test("opens once with a link, on an origin below the server's own, and then with the cookie that it gave", async () => {
    await using proxied = await Proxied.behind(hello);
    const link = await proxied.link();
    assert.match(link.host, new RegExp(`^box-web-8080-[0-9a-f]{24}\\.localhost:${proxied.port}$`));
    const visitor = await proxied.visit(link);
    const again = await proxied.ask(link.host, { path: link.pathname + link.search });
    assert.deepEqual([again.status, code(again)], [401, "unauthenticated"]);
    assert.deepEqual((await visitor.ask()).body, "hello");
    for (const headers of [[], [bearer(proxied.fleet.token)]]) {
      assert.equal((await proxied.ask(link.host, { headers })).status, 401);
      assert.equal((await proxied.ask(link.host, { path: "/api/v1/whoami", headers })).status, 401);
    }
  });

  test("is not that of another host's container of the same name", async () => {
    await using proxied = await Proxied.behind(hello);
    await proxied.fleet.addHost("bax", { dial: proxied.app.dial });
    const links = [await proxied.link(), await proxied.link({ api: "/api/v1/nodes/bax" })];
    const [box, bax] = [await proxied.visit(links[0]), await proxied.visit(links[1])];
    assert.notEqual(box.host, bax.host);
    assert.equal((await bax.ask()).body, "hello");
    assert.equal((await proxied.ask(bax.host, { headers: [box.cookie] })).status, 401);
    const third = await proxied.link();
    const elsewhere = await proxied.ask(bax.host, { path: third.pathname + third.search });
    assert.deepEqual([elsewhere.status, code(elsewhere)], [401, "unauthenticated"]);
  });

  test("is opened by whoever may, and looks absent to everybody else", async () => {
    const containers = [
      container({ id: "b".repeat(64), name: "blue", labels: { team: "blue" } }),
      container({ id: "e".repeat(64), name: "red", labels: { team: "red" } }),
      container({ id: "d".repeat(64), name: "done", labels: { team: "blue" }, state: "exited" }),
    ];
    await using proxied = await Proxied.behind(hello, { desk: { containers } });
    const token = await newToken(proxied, "blue", { rights: ["proxy"], scopes: [{ team: "blue" }] });
    const open = (ref: string, body: object = { port: APP_PORT }, api = "/api/v1/nodes/box") => {
      const asking = { method: "POST", path: `${api}/containers/${ref}/open`, body: JSON.stringify(body) };
      return proxied.ask(`127.0.0.1:${proxied.port}`, { ...asking, headers: [bearer(token)] });
    };
    assert.equal((await open("blue")).status, 200);
    const [forbidden, absent] = [await open("red"), await open("der")];
    assert.deepEqual([forbidden.status, forbidden.bytes.replaceAll("red", "der")], [404, absent.bytes]);
    assert.equal(code(await open("done")), "not-running");
    assert.equal((await open("blue", {}, "/api/v1/nodes/elsewhere")).status, 400);
    assert.equal((await open("blue", { port: APP_PORT }, "/api/v1/nodes/elsewhere")).status, 404);
    for (const body of [{}, { port: 0 }, { port: "80" }, { port: 80, host: "x" }])
      assert.equal((await open("blue", body)).status, 400, JSON.stringify(body));
    const refusal = proxied.front.desk.audit.find(({ event }) => event === "refuse");
    assert.partialDeepStrictEqual(refusal, { kind: "proxy", reference: "red", subject: "server:token:blue" });
  });

  test("is asked for at its host each time: who lost the right at the label sees it no more", async () => {
    const worlds = [[container({ labels: { team: "blue" } })], [container({ labels: { team: "red" } })]];
    let world = 0;
    const list = async () => worlds[world] ?? [];
    await using proxied = await Proxied.behind(hello, { desk: { containers: worlds[0] ?? [], list } });
    const token = await newToken(proxied, "blue", { rights: ["proxy"], scopes: [{ team: "blue" }] });
    const visitor = await proxied.visit(await proxied.link({ token }));
    assert.equal((await visitor.ask()).body, "hello");
    world = 1;
    await proxied.front.desk.containers.refresh();
    for (const socket of proxied.dialled) socket.destroy();
    const gone = await visitor.ask();
    assert.deepEqual([gone.status, code(gone)], [404, "not-found"]);
  });

  test("is written down by server and agent, under one name, when it is opened and when it ends", async () => {
    await using proxied = await Proxied.behind(hello);
    const token = await newToken(proxied, "anna", { rights: ["proxy"] });
    const visitor = await proxied.visit(await proxied.link({ token }));
    for (let i = 0; i < 3; i++) await visitor.ask();
    assert.deepEqual(proxied.front.desk.sessions.counts(), { proxy: 1 });
    await proxied.fleet.ask("/api/v1/tokens/anna", { method: "DELETE" });
    await proxied.noSessions();
    const [open, end] = proxied.front.desk.audit;
    const what = { kind: "proxy", subject: "server:token:anna", containerName: "web", ports: [APP_PORT] };
    assert.partialDeepStrictEqual(open, { event: "open", ...what });
    assert.partialDeepStrictEqual(end, { event: "end", connections: 1 });
    const lines = await until("the server's lines", async () => {
      const audit = await (await proxied.fleet.ask("/api/v1/audit")).text();
      const all = audit
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as { session?: string });
      const own = all.filter(({ session }) => session !== undefined && session === open?.session);
      return own.length === 2 ? own : undefined;
    });
    const who = { subject: "token:anna", node: "box", reference: "web", remote: "127.0.0.1 http" };
    assert.partialDeepStrictEqual(lines, [
      { event: "open", kind: "proxy", ...who },
      { event: "end", kind: "proxy", connections: 1, ...who },
    ]);
  });

  test("is an app's alone: nothing of ours reaches it, and its origin reaches nothing of the server's", async () => {
    await using proxied = await Proxied.behind({
      raw: (socket: Socket) =>
        void socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
    });
    const visitor = await proxied.visit();
    const { token } = proxied.fleet;
    const headers = [bearer(token), `${PAGE_SECRET_HEADER}: secret`, "X-Forwarded-For: 1.2.3.4"];
    assert.equal((await visitor.ask({ headers })).body, "ok");
    for (const secret of [token, "secret", "fairlead-app", "1.2.3.4"])
      assert.ok(!proxied.said.includes(secret), secret);
    assert.match(proxied.said, new RegExp(`^x-forwarded-host: ${visitor.host}\r$`, "im"));
    const server = `127.0.0.1:${proxied.port}`;
    const origin = `Origin: http://${visitor.host}`;
    const write = requestText(server, { method: "POST", path: "/api/v1/sign-out", headers: [origin, visitor.cookie] });
    const socket = requestText(server, { path: SESSIONS_PATH, headers: [...upgrade(), origin, visitor.cookie] });
    for (const attempt of [write, socket]) {
      const answer = await converse(proxied.port, attempt);
      assert.deepEqual([answer.status, code(answer)], [403, "wrong-origin"]);
    }
    const read = await proxied.ask(server, { path: "/api/v1/whoami", headers: [visitor.cookie] });
    assert.equal(read.status, 401);
  });

  test("gives a client with its right alone no connection to the port, nor what the server asks for itself", async (t) => {
    await using proxied = await Proxied.behind(hello);
    const token = await newToken(proxied, "anna", { rights: ["proxy"] });
    const way = { path: SESSIONS_PATH, token: `Bearer ${token}` };
    const transport = await dial(proxied.port, way, AbortSignal.timeout(SOON_MS));
    const mux = new Mux(transport, { role: "dialler", software: "test", budget: new Budget(BUDGET) });
    t.after(() => mux.close(CLOSE.normal, "done"));
    const ask = (header: object, body: object) =>
      new Promise<ReturnType<typeof readReply>>((resolve) => {
        const channel = mux.open({ header: json({ node: "box", ...header }), body: json(body) });
        const reply = (bytes: Uint8Array) => resolve(readReply(bytes));
        channel.start({ message() {}, credit() {}, ack() {}, close() {}, reply });
      });
    const opened = await ask({ op: "proxy", container: "web", onDrop: "kill" }, { port: APP_PORT });
    assert.ok("secret" in opened);
    const { session, secret } = opened;
    const refusals = await Promise.all([
      ask({ op: "connect", session }, { secret }),
      ask({ op: "dial", session }, { secret, port: APP_PORT }),
      ...["http", "subjects", "withdraw"].map((op) => ask({ op }, {})),
    ]);
    assert.deepEqual(
      refusals.map((refusal) => "code" in refusal && refusal.code),
      ["bad-request", "not-found", "bad-request", "bad-request", "bad-request"],
    );
    assert.equal(proxied.dialled.length, 0);
  });

  test("has an address for who comes from elsewhere only where apps_url gives one", async () => {
    const names = ["--public-urls", "https://fl.example.com"];
    for (const [flags, origin] of [
      [names, undefined],
      [
        [...names, "--apps-url", "https://apps.example.com"],
        /^https:\/\/box-web-80-[0-9a-f]{24}\.apps\.example\.com\//,
      ],
    ] as const) {
      await using fleet = await Fleet.start({}, flags);
      const path = "/api/v1/nodes/box/containers/web/open";
      const headers = [bearer(fleet.token), "Origin: https://fl.example.com"];
      const asking = { method: "POST", path, headers, body: `{"port":80}` };
      const answer = await converse(Number(new URL(fleet.url).port), requestText("fl.example.com", asking));
      if (origin) assert.match(String(jsonOf(answer)["url"]), origin);
      else {
        assert.deepEqual([answer.status, code(answer)], [501, "unsupported"]);
        assert.match(String(jsonOf(answer)["detail"]), /ctl open box:web 80$/);
      }
    }
  });
});

suite("an open page of a container behind a server", () => {
  /** What is inside is put out soon, and nobody gets in again. */
  async function ends(proxied: Proxied, visitor: Visitor, end: () => Promise<unknown>): Promise<void> {
    const inside = await stayInside(visitor);
    const began = performance.now();
    await end();
    await inside.ended;
    await until("a closed door", async () => code(await visitor.ask()) === "unauthenticated");
    assert.ok(performance.now() - began < SOON_MS);
    await proxied.noSessions();
    await proxied.nothingInside();
  }

  test("ends with the token that opened it", async () => {
    await using proxied = await Proxied.behind(endless);
    const token = await newToken(proxied, "anna", { rights: ["proxy"] });
    const visitor = await proxied.visit(await proxied.link({ token }));
    await ends(proxied, visitor, () => proxied.fleet.ask("/api/v1/tokens/anna", { method: "DELETE" }));
  });

  test("ends with the page that opened it", async () => {
    await using proxied = await Proxied.behind(endless);
    const { url } = proxied.fleet;
    const { code: entry } = await proxied.fleet.post<{ code: string }>("/api/v1/codes");
    const headers = { origin: url, "content-type": "application/json" };
    const post = (path: string, proof: object, body?: object) =>
      fetch(url + path, { method: "POST", headers: { ...headers, ...proof }, body: JSON.stringify(body ?? {}) });
    const signedIn = await post("/api/v1/sign-in", {}, { code: entry });
    const cookie = signedIn.headers.get("set-cookie")?.split(";", 1)[0];
    const { secret } = (await signedIn.json()) as { secret: string };
    const proof = { cookie, [PAGE_SECRET_HEADER]: secret };
    const invited = await post("/api/v1/nodes/box/containers/web/open", proof, { port: APP_PORT });
    const visitor = await proxied.visit(new URL(((await invited.json()) as { url: string }).url));
    await ends(proxied, visitor, () =>
      fetch(`${url}/api/v1/sign-out`, {
        method: "POST",
        headers: { origin: url, cookie: cookie ?? "", [PAGE_SECRET_HEADER]: secret },
      }),
    );
  });

  test("ends when its host is disabled, and none is opened there", async () => {
    await using proxied = await Proxied.behind(endless);
    const link = await proxied.link();
    await ends(proxied, await proxied.visit(), () => proxied.fleet.post("/api/v1/nodes/box/disable"));
    await assert.rejects(proxied.link(), /node-disabled/);
    const late = await proxied.ask(link.host, { path: link.pathname + link.search });
    assert.deepEqual([late.status, code(late)], [409, "node-disabled"]);
  });

  test("ends when its host is removed", async () => {
    await using proxied = await Proxied.behind(endless);
    const visitor = await proxied.visit();
    await ends(proxied, visitor, () => proxied.fleet.ask("/api/v1/nodes/box", { method: "DELETE" }));
  });

  test("says in words that its host is away, and is there again when that is back", async () => {
    await using proxied = await Proxied.behind(hello);
    const visitor = await proxied.visit();
    assert.equal((await visitor.ask()).body, "hello");
    const { box } = proxied.fleet;
    await box.leave();
    const page = { headers: ["Accept: text/html"] };
    const away = await until("the server's notice", async () => {
      const answer = await visitor.ask(page);
      return answer.status === 503 ? answer : undefined;
    });
    assert.match(away.body, /<h1>The agent is not connected<\/h1>/);
    const socket = visitor.ask({ headers: [...upgrade(), `Origin: http://${visitor.host}`] });
    assert.equal(code(await socket), "agent-away");
    await box.comeBack();
    assert.equal((await visitor.ask()).body, "hello");
    assert.deepEqual(box.desk.sessions.counts(), { proxy: 1 });
  });
});
