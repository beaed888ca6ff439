/** How requests without a body share the connections to an app: nothing of one answer is ever taken for another's. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { test } from "node:test";
import { until } from "../../support/until.ts";
import { closed, code } from "../../support/front.ts";
import { everywhere, type Opening } from "./proxied.ts";

/** Connections to an app at a time, for requests without a body. */
const CONNECTIONS = 64;
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/** An app that says these in turn, each to one request, and the last of them for ever. */
function saying(...texts: string[]) {
  let at = 0;
  const next = () => texts[Math.min(at++, texts.length - 1)] ?? "";
  return { raw: (socket: Socket) => void socket.on("data", () => socket.write(next())) };
}

/** A request that is answered by an app of which every connection does this. */
async function answerOf(open: Opening, raw: (socket: Socket) => void): Promise<string> {
  await using proxied = await open({ raw: (socket) => void socket.once("data", () => raw(socket)) });
  const visitor = await proxied.visit();
  const { bytes } = await visitor.ask();
  await proxied.nothingInside();
  return bytes;
}

everywhere("an answer of an app", (open) => {
  test("is the one after what may come before it, which is for nobody", async () => {
    const hints = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n";
    await using proxied = await open(saying(`HTTP/1.1 102 Processing\r\n\r\n${hints}${OK}`));
    const visitor = await proxied.visit();
    for (const _ of [1, 2]) {
      const { status, headers, body } = await visitor.ask();
      assert.deepEqual([status, headers["link"], body], [200, undefined, "ok"]);
    }
    assert.equal(proxied.dialled.length, 1);
  });

  test("has the words of its headers as they came, those too that mean something to programs", async () => {
    const odd = ["__proto__: a", "constructor: b", "constructor: c", "vary: x", "vary: y", "x-umlaut: \xfc"].join(
      "\r\n",
    );
    const told = await answerOf(open, (socket) => socket.end(OK.replace("OK\r\n", `OK\r\n${odd}\r\n`), "latin1"));
    assert.ok(told.includes(`\r\n${odd}\r\n`), told);
    assert.deepEqual(Object.keys(Object.prototype), []);
  });

  test("that ends with its connection is whole when the app has ended it, and broken when it broke", async () => {
    const begin = "HTTP/1.1 200 OK\r\n\r\nall there is";
    assert.match(await answerOf(open, (socket) => socket.end(begin)), /\r\nc\r\nall there is\r\n0\r\n\r\n$/);
    await using proxied = await open(saying(begin));
    const visitor = await proxied.visit();
    const client = visitor.say(visitor.text());
    let told = "";
    client.on("data", (bytes: Buffer) => (told += bytes.toString()));
    await until("what there is", () => told.endsWith("all there is\r\n"));
    proxied.inside[0]?.resetAndDestroy();
    await closed(client);
    assert.ok(told.endsWith("all there is\r\n"), told);
  });

  test("has nothing of what the app said before it was asked", async () => {
    const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
    for (const first of [
      OK + evil,
      `HTTP/1.1 204 No Content\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`,
      `HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n${evil}`,
    ]) {
      await using proxied = await open(saying(first, OK));
      const visitor = await proxied.visit();
      await visitor.ask();
      assert.equal((await visitor.ask()).body, "ok", first);
    }
    await using proxied = await open(saying(`HTTP/1.1 200 OK\r\nContent-Length: ${evil.length}\r\n\r\n${evil}`, OK));
    const visitor = await proxied.visit();
    assert.equal((await visitor.ask({ method: "HEAD" })).headers["content-length"], String(evil.length));
    assert.equal((await visitor.ask()).body, "ok");
  });
});

everywhere("a connection to an app", (open) => {
  test("is not kept longer than the app says", async () => {
    await using proxied = await open(saying(OK.replace("\r\n\r\n", "\r\nKeep-Alive: timeout=1\r\n\r\n")));
    const visitor = await proxied.visit();
    for (const count of [1, 2]) {
      assert.equal((await visitor.ask()).body, "ok");
      await proxied.nothingInside();
      assert.equal(proxied.dialled.length, count);
    }
  });

  test("is let go of when nothing was asked for four seconds", async () => {
    await using proxied = await open(saying(OK));
    const visitor = await proxied.visit();
    await visitor.ask();
    await visitor.ask({ method: "POST", body: "{}" });
    assert.equal(proxied.inside.filter(({ destroyed }) => !destroyed).length, 2);
    const since = performance.now();
    await proxied.nothingInside();
    assert.ok(performance.now() - since > 3_000);
  });

  test("on which something was asked that changes things is not asked again", async () => {
    let served = 0;
    const hangsUp = (socket: Socket) =>
      void socket.on("data", () => {
        served += 1;
        if (served === 2) socket.resetAndDestroy();
        else socket.write(OK);
      });
    await using proxied = await open({ raw: hangsUp });
    const visitor = await proxied.visit();
    await visitor.ask();
    const answer = await visitor.ask({ method: "DELETE" });
    assert.deepEqual([answer.status, code(answer), served], [502, "bad-answer", 2]);
  });

  test("that is new and breaks is not tried again", async () => {
    let served = 0;
    const hangsUp = (socket: Socket) =>
      void socket.once("data", () => {
        served += 1;
        socket.resetAndDestroy();
      });
    await using proxied = await open({ raw: hangsUp });
    assert.equal((await (await proxied.visit()).ask()).status, 502);
    assert.equal(served, 1);
  });

  test("is waited for where there are too many, and whoever has left by then is not asked for", async () => {
    await using proxied = await open({ raw: () => {} });
    const visitor = await proxied.visit();
    const ask = (path: string) => visitor.say(visitor.text({ path }));
    const first = Array.from({ length: CONNECTIONS }, (_, i) => ask(`/first-${i}-`));
    await until("all that may be asked at a time", () => proxied.said.match(/\/first-/g)?.length === CONNECTIONS);
    const leaver = ask("/leaver");
    const last = ask("/last");
    leaver.destroy();
    await closed(leaver);
    // Whatever came before this was heard before this is answered.
    assert.equal((await proxied.ask(visitor.host, {})).status, 401);
    for (const socket of proxied.inside) socket.write(OK);
    await until("the last to be asked for", () => proxied.said.includes("/last"));
    for (const socket of proxied.inside) socket.write(OK);
    const [answer] = (await once(last, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 200 OK/);
    assert.doesNotMatch(proxied.said, /leaver/);
    assert.equal(proxied.dialled.length, CONNECTIONS);
    for (const socket of first) socket.destroy();
  });
});
