/** What passes between a browser and an app, to the letter. */

import assert from "node:assert/strict";
import type { IncomingMessage, RequestListener } from "node:http";
import { suite, test } from "node:test";
import { rewriteLocation } from "../../../src/door/apps/location.ts";
import { until } from "../../support/until.ts";
import { bearer, closed, signIn, ticketOf, upgrade } from "../../support/front.ts";
import { APP_PORT, Proxied } from "./proxied.ts";

/** Tells what it was asked. */
const mirror: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const { method, url, headers, trailers } = request;
    response.end(JSON.stringify({ method, url, headers, trailers, body: Buffer.concat(chunks).toString() }));
  });
};

type Seen = Pick<IncomingMessage, "method" | "url" | "headers" | "trailers"> & { body: string };

async function seenBy(proxied: Proxied, asking: { path?: string; headers?: string[] } = {}): Promise<Seen> {
  const visitor = await proxied.visit();
  const answer = await visitor.ask(asking);
  assert.equal(answer.status, 200, answer.body);
  return JSON.parse(answer.body) as Seen;
}

/** The headers of the answer of an app that answers with these. */
async function told(headers: Record<string, string | string[]>, status = 200): Promise<Record<string, string>> {
  await using proxied = await Proxied.open((_request, response) => void response.writeHead(status, headers).end());
  return (await (await proxied.visit()).ask()).headers;
}

suite("an app is told", () => {
  test("nothing that is ours: no cookie, no token, no page's secret, no ticket", async () => {
    await using proxied = await Proxied.open(mirror);
    const page = await signIn(proxied.front);
    const ticket = await ticketOf(proxied.front, page.proof);
    const visitor = await proxied.visit();
    const cookie = `${visitor.cookie}; theme=dark; ${page.cookie.slice(8)}; __Host-other=1; fairlead-x=2`;
    const headers = [cookie, page.secret, bearer(proxied.front.admin)];
    const answer = await proxied.ask(visitor.host, { headers });
    const { headers: seen } = JSON.parse(answer.body) as Seen;
    assert.equal(seen.cookie, "theme=dark; __Host-other=1");
    assert.equal(seen.authorization, undefined);
    assert.doesNotMatch(answer.body, /fairlead/i);
    await using raw = await Proxied.open({ raw: () => {} });
    const other = await raw.visit();
    const offered = [
      other.cookie,
      bearer(raw.front.admin),
      page.secret,
      `Sec-WebSocket-Protocol: chat, fairlead.ticket.${ticket}`,
    ];
    other.say(other.text({ headers: [...upgrade(), ...offered.slice(1)] }));
    await until("the handshake inside", () => raw.said.endsWith("\r\n\r\n"));
    assert.match(raw.said, /sec-websocket-protocol: chat\r\n/i);
    assert.match(raw.said, /\r\nconnection: upgrade\r\nupgrade: websocket\r\n/i);
    for (const secret of [ticket, raw.front.admin, "fairlead"]) assert.ok(!raw.said.includes(secret), secret);
  });

  test("what is its own: its cookies, its Authorization, the address as it was asked", async () => {
    await using proxied = await Proxied.open(mirror);
    const path = "/a/../b//c%2f%2e%2e/?x=/../%00&y=[1]";
    const basic = "Authorization: Basic dXNlcjpwYXNz";
    const { headers, url } = await seenBy(proxied, { path, headers: [basic, "Accept-Language: de"] });
    assert.equal(url, path);
    assert.equal(headers.authorization, "Basic dXNlcjpwYXNz");
    assert.equal(headers["accept-language"], "de");
    assert.equal(headers.cookie, undefined);
  });

  test("by us alone where the request came from", async () => {
    await using proxied = await Proxied.open(mirror);
    const lies = [
      "X-Forwarded-For: 6.6.6.6",
      "X-Forwarded-User: admin",
      "Forwarded: for=6.6.6.6",
      "X-Real-IP: 6.6.6.6",
    ];
    const { headers } = await seenBy(proxied, { headers: lies });
    const { host = "" } = headers;
    assert.match(host, /^web-8080-.*\.localhost:\d+$/);
    const forwarded = Object.entries(headers).filter(([name]) => /forwarded|real-ip/.test(name));
    assert.deepEqual(Object.fromEntries(forwarded), {
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": host,
      "x-forwarded-port": host.split(":")[1],
      "x-forwarded-proto": "http",
    });
  });

  test("nothing that was for the connection alone, and nothing that is ours can be named away (CVE-2026-33805)", async () => {
    await using proxied = await Proxied.open(mirror);
    const named = "Connection: close, x-hop, x-forwarded-for, host, content-length";
    const hops = [
      "X-Hop: 1",
      "Keep-Alive: timeout=5",
      "TE: trailers",
      "Proxy-Authorization: Basic eA==",
      "Upgrade: h2c",
    ];
    const { headers } = await seenBy(proxied, { headers: [named, ...hops] });
    for (const name of ["x-hop", "keep-alive", "te", "proxy-authorization", "upgrade"])
      assert.equal(headers[name], undefined, name);
    assert.equal(headers["x-forwarded-for"], "127.0.0.1");
    assert.match(headers.host ?? "", /localhost/);
  });

  test("nothing of an upgrade where there cannot be one", async () => {
    await using proxied = await Proxied.open(mirror);
    const visitor = await proxied.visit();
    const answer = await visitor.ask({ version: "1.0", headers: upgrade() });
    const { headers } = JSON.parse(answer.body) as Seen;
    assert.deepEqual([answer.status, headers.upgrade], [200, undefined]);
  });

  test("one request where there is one, however its end is told", async () => {
    const once = ["POST /one HTTP/1.1", "Host: HOST", "COOKIE"];
    const smuggled = "GET /two HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    const corpus = [
      ["Content-Length: 0", "Transfer-Encoding: chunked", "", "0\r\n\r\n"],
      ["Content-Length: 0", `Content-Length: ${smuggled.length}`, ""],
      ["Transfer-Encoding: chunked, identity", ""],
      ["Transfer-Encoding: gzip, chunked", "", "0\r\n\r\n"],
      ["Transfer-Encoding: xchunked", ""],
      ["Transfer-Encoding : chunked", "", "0\r\n\r\n"],
      ["X: a\r\n folded: b", ""],
      ["Connection: content-length", "Content-Length: 0", ""],
      ["Connection: transfer-encoding", "Transfer-Encoding: chunked", "", "0\r\n\r\n"],
    ];
    await using proxied = await Proxied.open({
      raw: (socket) => void socket.on("data", () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")),
    });
    const visitor = await proxied.visit();
    for (const lines of corpus) {
      const text = [...once, ...lines].join("\r\n").replace("HOST", visitor.host).replace("COOKIE", visitor.cookie);
      const client = visitor.say(`${text}\r\n${smuggled}`);
      await closed(client.resume(), 30_000);
    }
    assert.doesNotMatch(proxied.said, /\/two/);
    for (const method of ["GET", "DELETE", "OPTIONS"]) {
      const headers = ["Connection: transfer-encoding, close", "Transfer-Encoding: chunked"];
      const text = visitor.text({ method, path: `/chunked-${method}`, headers });
      await closed(visitor.say(`${text}1c\r\n${smuggled.slice(0, 28)}\r\n0\r\n\r\n`).resume());
      assert.match(
        proxied.said,
        new RegExp(`/chunked-${method} [\\s\\S]*transfer-encoding: chunked[\\s\\S]*\\r\\n1c\\r\\n`, "i"),
      );
    }
  });
});

suite("a browser is told", () => {
  test("no cookie for other hosts or with our name, and nothing that reaches beyond the app", async () => {
    const cookies = [
      "a=1; Path=/",
      "b=2; Domain=localhost",
      "c=3; path=/;domain =.example.com",
      "__Host-fairlead-app=4",
    ];
    const far = {
      "Clear-Site-Data": '"*"',
      "Service-Worker-Allowed": "/",
      "Strict-Transport-Security": "max-age=9",
      "Alt-Svc": 'h3=":443"',
      "Keep-Alive": "timeout=99",
      "Proxy-Authenticate": "Basic",
    };
    const headers = await told({ "Set-Cookie": cookies, "Content-Security-Policy": "default-src *", ...far });
    assert.equal(headers["set-cookie"], "a=1; Path=/");
    assert.equal(headers["content-security-policy"], "default-src *");
    for (const name of Object.keys(far)) assert.equal(headers[name.toLowerCase()], undefined, name);
  });

  test("its own address for the app where the app tells the container's", async () => {
    const moved = (location: string) => told({ Location: location }, 302).then((headers) => headers["location"] ?? "");
    assert.match(await moved(`http://127.0.0.1:${APP_PORT}/in?a#b`), /^http:\/\/web-8080-\w+\.localhost:\d+\/in\?a#b$/);
    for (const location of ["/in", "in", "//other/", "https://example.com/", "http://127.0.0.1:9/", "http://"])
      assert.equal(await moved(location), location);
    const known = { origin: "http://app.localhost", port: 80, names: ["web", "172.17.0.2"] };
    for (const host of ["web", "WEB:80", "172.17.0.2", "localhost", "[::1]:80"])
      assert.equal(rewriteLocation(`http://${host}/x`, known), "http://app.localhost/x", host);
    assert.equal(rewriteLocation("https://web/x", known), "https://web/x");
  });

  test("the answer as it is: its head alone, no content, chunks and what follows them", async () => {
    await using proxied = await Proxied.open((request, response) => {
      if (request.url === "/none") return void response.writeHead(204).end();
      if (request.url === "/length") return void response.writeHead(200, { "Content-Length": 5 }).end("hello");
      if (request.url === "/reason") return void response.writeHead(299, "Own words").end();
      if (request.method === "HEAD") return void response.end();
      response.writeHead(200, { Trailer: "X-Sum, Set-Cookie" });
      response.write("first");
      response.addTrailers({ "X-Sum": "42", "Set-Cookie": "a=1" });
      response.end("second");
    });
    const visitor = await proxied.visit();
    const head = await visitor.ask({ method: "HEAD", path: "/length" });
    assert.deepEqual([head.status, head.headers["content-length"], head.body], [200, "5", ""]);
    const none = await visitor.ask({ path: "/none" });
    assert.deepEqual([none.status, none.body], [204, ""]);
    assert.equal((await visitor.ask({ path: "/reason" })).status, 299);
    const chunked = await visitor.ask();
    assert.match(chunked.body, /5\r\nfirst\r\n6\r\nsecond\r\n0\r\n[Xx]-[Ss]um: 42\r\n\r\n$/);
    assert.doesNotMatch(chunked.bytes, /set-cookie|trailer:/i);
    assert.equal((await visitor.ask({ version: "1.0" })).body, "firstsecond");
    assert.match((await visitor.ask({ method: "HEAD" })).bytes, /^HTTP\/1.1 200 OK\r\n/);
  });

  test("to go on before it sends what is long, which follows with its trailers", async () => {
    await using proxied = await Proxied.open(mirror);
    const visitor = await proxied.visit();
    const headers = ["Transfer-Encoding: chunked", "Expect: 100-continue", "Trailer: X-Sum"];
    const client = visitor.say(visitor.text({ method: "PUT", headers }));
    let heard = "";
    client.on("data", (bytes: Buffer) => (heard += bytes.toString()));
    await until("a word", () => heard === "HTTP/1.1 100 Continue\r\n\r\n");
    client.write("5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n");
    await closed(client);
    assert.match(heard, /"trailers":\{"x-sum":"42"\},"body":"hello"/);
    assert.doesNotMatch(heard, /expect/);
  });
});
