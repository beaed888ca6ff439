/** Long answers and large uploads: they come as they are sent, as fast as the slower side takes them, and take no memory. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { suite, test } from "node:test";
import { settled, until } from "../../support/until.ts";
import { closed, upgrade } from "../../support/front.ts";
import { endless, everywhere, Proxied } from "./proxied.ts";

const MEBIBYTE = 1_048_576;
const GIBIBYTE = 1_024 * MEBIBYTE;
/** What a gibibyte under way may take, of the client and the app too, which are in the same process. */
const FLAT = 128 * MEBIBYTE;

everywhere("an app's answer", (open) => {
  test("comes event by event, after any silence", async () => {
    let say: (text: string) => void = () => {};
    const limits = { stallMs: 200, checkMs: 50 };
    await using proxied = await open(
      (_request, response) => {
        response.writeHead(200, { "Content-Type": "text/event-stream" });
        say = (text) => void response.write(`data: ${text}\n\n`);
        say("one");
      },
      { config: { limits } },
    );
    const visitor = await proxied.visit();
    const client = visitor.say(visitor.text());
    let heard = "";
    client.on("data", (bytes: Buffer) => (heard += bytes.toString()));
    await until("the first", () => heard.includes("data: one"));
    const silent = performance.now();
    await until("a long silence", () => performance.now() - silent > 3 * limits.stallMs);
    say("two");
    await until("the second", () => heard.includes("data: two"));
    client.destroy();
    await proxied.nothingInside();
  });

  test("begins when the app begins it, however long there is nothing in it", async () => {
    const head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    await using proxied = await open({ raw: (socket) => void socket.once("data", () => socket.write(head)) });
    const visitor = await proxied.visit();
    for (const asking of [{}, { method: "POST", body: "{}" }]) {
      const client = visitor.say(visitor.text(asking));
      const [begun] = (await once(client, "data", { signal: AbortSignal.timeout(10_000) })) as [Buffer];
      assert.match(begun.toString(), /^HTTP\/1.1 200 OK\r\n[^]*text\/event-stream/);
      client.destroy();
    }
    await proxied.nothingInside();
  });

  test("waits for a client that does not read", async () => {
    let held = () => 0;
    await using proxied = await open((_request, response) => {
      held = () => response.writableLength;
      for (let i = 0; i < 64; i++) response.write(Buffer.alloc(MEBIBYTE));
    });
    const visitor = await proxied.visit();
    const client = visitor.say(visitor.text());
    client.pause();
    await until("the answer begun", () => held() > 0);
    assert.ok((await settled(held)) > 32 * MEBIBYTE);
    client.destroy();
    await proxied.nothingInside();
  });
});

everywhere("requests to an app that come in one go", (open) => {
  test("leave nothing behind when their client leaves", async () => {
    await using proxied = await open(endless);
    const visitor = await proxied.visit();
    const asked = [visitor.text(), visitor.text({ method: "POST", body: "{}" })].map((text) =>
      text.replace("Connection: close\r\n", ""),
    );
    const client = visitor.say(asked.join("").repeat(2));
    await until("all four at the app", () => proxied.inside.length === 4);
    client.destroy();
    await proxied.nothingInside();
  });

  test("end with a WebSocket that is asked for behind them, and leave nothing", async () => {
    await using proxied = await open((request, response) => void (request.url === "/first" || response.end()));
    const visitor = await proxied.visit();
    const asked = [visitor.text(), visitor.text({ method: "POST", body: "{}" })].map((text) =>
      text.replace("Connection: close\r\n", "").replace(" / ", " /first "),
    );
    const client = visitor.say(asked.join("").repeat(2));
    await until("all four at the app", () => proxied.inside.length === 4);
    client.write(visitor.text({ headers: [...upgrade(), `Origin: http://${visitor.host}`] }));
    await closed(client.resume());
    await proxied.nothingInside();
  });

  test("are no leak, however many they are", async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error) => void warnings.push(warning);
    process.on("warning", warned);
    await using proxied = await open((_request, response) => void response.end("x"));
    const visitor = await proxied.visit();
    const text = visitor.text();
    const client = visitor.say(text.replace("Connection: close\r\n", "").repeat(30) + text);
    await closed(client.resume());
    process.off("warning", warned);
    assert.deepEqual(warnings, []);
  });
});

everywhere("an upload to an app", (open) => {
  test("waits for an app that does not read, and is cut with it", async () => {
    await using proxied = await open((request) => void request.pause());
    const visitor = await proxied.visit();
    const client = visitor.say(visitor.text({ method: "PUT", headers: [`Content-Length: ${GIBIBYTE}`] }));
    for (let i = 0; i < 64; i++) client.write(Buffer.alloc(MEBIBYTE));
    assert.ok((await settled(() => client.writableLength)) > 32 * MEBIBYTE);
    for (const socket of proxied.inside) socket.resetAndDestroy();
    client.resume();
    await until("the client cut", () => client.destroyed);
  });

  test("takes as long as it takes, also when it was begun before the answer to what was asked first", async () => {
    let answer = () => {};
    await using proxied = await open(
      (request, response) => {
        if (request.method === "GET") answer = () => void response.end("first");
        else request.resume().once("end", () => response.end("second"));
      },
      { config: { limits: { requestMs: 300, headersMs: 300, checkMs: 50 } } },
    );
    const visitor = await proxied.visit();
    const upload = visitor.text({ method: "PUT", headers: ["Content-Length: 2"] });
    const client = visitor.say(visitor.text().replace("Connection: close\r\n", "") + upload);
    let heard = "";
    client.on("data", (bytes: Buffer) => (heard += bytes.toString()));
    await until("both at the app", () => proxied.inside.length === 2);
    answer();
    await until("the first answer", () => heard.endsWith("first"));
    const begun = performance.now();
    await until("longer than requests may take", () => performance.now() - begun > 1_000);
    client.write("xx");
    await until("the second answer", () => heard.endsWith("second"));
    client.destroy();
  });

  test("that the app refuses at once is answered at once", async () => {
    await using proxied = await open((_request, response) => void response.writeHead(413).end("too much"));
    const visitor = await proxied.visit();
    const client = visitor.say(visitor.text({ method: "PUT", headers: [`Content-Length: ${GIBIBYTE}`] }));
    const [answer] = (await once(client, "data")) as [Buffer];
    assert.match(answer.toString(), /^HTTP\/1.1 413 /);
    client.destroy();
    await proxied.nothingInside();
  });
});

suite("an upload to an app on an agent", () => {
  test("of a gibibyte takes no memory, and as long as it takes", async () => {
    let received = 0;
    const limits = { requestMs: 300, headersMs: 200, checkMs: 50 };
    await using proxied = await Proxied.open(
      (request, response) => {
        request.on("data", (chunk: Buffer) => (received += chunk.length));
        request.on("end", () => response.end("thanks"));
      },
      { config: { limits } },
    );
    const visitor = await proxied.visit();
    const headers = [`Content-Length: ${GIBIBYTE}`];
    const client = visitor.say(visitor.text({ method: "PUT", headers }));
    const chunk = Buffer.alloc(MEBIBYTE);
    const before = process.memoryUsage().rss;
    let highest = 0;
    let answer = "";
    client.on("data", (bytes: Buffer) => (answer += bytes.toString()));
    for (let sent = 0; sent < GIBIBYTE; sent += chunk.length) {
      if (!client.write(chunk)) await once(client, "drain");
      highest = Math.max(highest, process.memoryUsage().rss);
    }
    await closed(client, 30_000);
    assert.match(answer, /^HTTP\/1.1 200 [\s\S]*thanks/);
    assert.equal(received, GIBIBYTE);
    assert.ok(highest - before < FLAT, `${Math.round((highest - before) / MEBIBYTE)} MiB`);
  });
});
