/** Everything that may go wrong between a browser and an app: each has an answer, and leaves nothing behind. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { suite, test } from "node:test";
import { until } from "../../support/until.ts";
import { type Asking, closed, code, upgrade } from "../../support/front.ts";
import { everywhere, Proxied, type Visitor } from "./proxied.ts";

const HANDSHAKE = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

/** Without a body, and with one: these go different ways. */
const EITHER: Asking[] = [{}, { method: "POST", body: "{}" }];

/** An app of which every connection does this once it was asked something. */
function answering(answer: (socket: Socket) => void) {
  return { raw: (socket: Socket) => void socket.once("data", () => answer(socket)) };
}

/** Everything that comes until the other side closes. */
async function readAll(socket: Socket): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  await closed(socket);
  return Buffer.concat(chunks).toString("latin1");
}

function askForSocket(visitor: Visitor): Socket {
  return visitor.say(visitor.text({ headers: [...upgrade(), `Origin: http://${visitor.host}`] }));
}

/** A WebSocket that is open, seen from both sides. */
async function openSocket(proxied: Proxied) {
  const visitor = await proxied.visit();
  const client = askForSocket(visitor);
  const [head] = (await once(client, "data")) as [Buffer];
  assert.match(head.toString(), /^HTTP\/1.1 101 /);
  const inside = proxied.inside.at(-1);
  if (!inside) throw new Error("nothing came in");
  return { client, inside };
}

everywhere("a request to an app", (open) => {
  test("that nobody listens for is answered in words", async () => {
    await using proxied = await open(() => {});
    const visitor = await proxied.visit(await proxied.link({ port: 81 }));
    const answer = await visitor.ask();
    assert.deepEqual([answer.status, code(answer)], [502, "dial-refused"]);
    const page = await visitor.ask({ headers: ["Accept: text/html"] });
    assert.match(page.body, /<h1>Nothing listens on that port<\/h1>/);
    assert.match(page.headers["content-security-policy"] ?? "", /default-src 'none'/);
  });

  const broken: Record<string, (socket: Socket) => void> = {
    "a reset": (socket) => socket.resetAndDestroy(),
    "its end": (socket) => socket.end(),
    garbage: (socket) => socket.end("SSH-2.0-OpenSSH_9.2p1\r\n"),
    "10 MB of headers": (socket) => socket.end(`HTTP/1.1 200 OK\r\n${"X-Much: much\r\n".repeat(800_000)}\r\n`),
    "a status that there is not": (socket) => socket.end("HTTP/1.1 099 What\r\nContent-Length: 0\r\n\r\n"),
    "an upgrade that nobody asked for": (socket) => socket.end(HANDSHAKE),
    "a header that none may have": (socket) =>
      socket.end("HTTP/1.1 200 OK\r\nX: a\x7fb\x01\r\nContent-Length: 0\r\n\r\n"),
    "two lengths": (socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "a length and chunks": (socket) =>
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
  };
  for (const [what, answer] of Object.entries(broken))
    test(`that gets ${what} is answered in words`, async () => {
      for (const asking of EITHER) {
        await using proxied = await open(answering(answer));
        const visitor = await proxied.visit();
        const told = await visitor.ask(asking);
        assert.deepEqual([told.status, code(told)], [502, "bad-answer"]);
        await proxied.nothingInside();
      }
    });

  test("that gets what is not HTTP is told so", async () => {
    for (const asking of EITHER) {
      await using proxied = await open(answering((socket) => socket.end("\x15\x03\x01\x00\x02\x02\x16", "latin1")));
      const visitor = await proxied.visit();
      assert.match((await visitor.ask(asking)).body, /does not answer as HTTP should: that is not HTTP\./);
    }
  });

  test("that gets an answer which breaks at once is answered in words, with nothing of the app's among them", async () => {
    const begun = "HTTP/1.1 200 Fine\r\nContent-Encoding: gzip\r\nETag: x\r\nTransfer-Encoding: chunked\r\n\r\nzz";
    await using proxied = await open(answering((socket) => socket.end(begun)));
    const visitor = await proxied.visit();
    const told = await visitor.ask({ method: "POST", body: "{}" });
    assert.deepEqual([told.status, code(told)], [502, "bad-answer"]);
    assert.deepEqual([told.headers["content-encoding"], told.headers["etag"]], [undefined, undefined]);
    assert.match(told.bytes, /^HTTP\/1.1 502 Bad Gateway\r\n/);
  });

  test("that breaks off in the middle of the answer breaks off for the client too", async () => {
    await using proxied = await open(
      answering((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
        setImmediate(() => socket.resetAndDestroy());
      }),
    );
    const visitor = await proxied.visit();
    for (const asking of EITHER) {
      const text = await readAll(visitor.say(visitor.text(asking)));
      assert.ok(text === "" || text.endsWith("half"), text);
      await proxied.nothingInside();
    }
  });

  test("whose client leaves, before or in the middle of the answer, is not carried on", async () => {
    const begin = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n";
    for (const said of ["", begin]) {
      await using proxied = await open(answering((socket) => void socket.write(said)));
      const visitor = await proxied.visit();
      const client = visitor.say(visitor.text());
      await until("the request inside", () => proxied.said.includes("GET / "));
      if (said !== "") await once(client, "data");
      client.resetAndDestroy();
      await proxied.nothingInside();
    }
  });

  test("on a kept connection that the app has just closed is asked again, once, if it may be", async () => {
    let served = 0;
    const hangsUp = (socket: Socket) =>
      void socket.on("data", () => {
        served += 1;
        if (served % 2 === 0) socket.resetAndDestroy();
        else socket.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
      });
    await using proxied = await open({ raw: hangsUp });
    const visitor = await proxied.visit();
    assert.equal((await visitor.ask()).body, "ok");
    assert.equal((await visitor.ask()).body, "ok");
    assert.equal(served, 3);
    const posted = await visitor.ask({ method: "POST", body: "{}" });
    assert.deepEqual([posted.status, served], [502, 4]);
  });
});

everywhere("a WebSocket to an app", (open) => {
  test("that nobody listens for is answered in words", async () => {
    await using proxied = await open(() => {});
    const visitor = await proxied.visit(await proxied.link({ port: 81 }));
    assert.match(await readAll(askForSocket(visitor)), /^HTTP\/1.1 502 [\s\S]*"code":"dial-refused"/);
  });

  const refusals: Record<string, string> = {
    "a page": "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage",
    "a redirect": "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
    "a refusal": "HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nno\r\n0\r\n\r\n",
    "another version": "HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n",
  };
  for (const [what, text] of Object.entries(refusals))
    test(`that gets ${what} is none: it is passed on, and nothing that follows reaches the app (CVE-2018-1002105)`, async () => {
      await using proxied = await open(answering((socket) => void socket.write(text)));
      const client = askForSocket(await proxied.visit());
      const told = readAll(client);
      await once(client, "data");
      client.write("GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n");
      const [status = ""] = text.split("\r\n", 1);
      assert.ok((await told).startsWith(status), await told);
      assert.match(await told, /\r\nconnection: close\r\n/i);
      await proxied.nothingInside();
      assert.doesNotMatch(proxied.said, /smuggled/);
    });

  test("that gets garbage, a reset or the end is answered in words, and nothing that follows reaches the app", async () => {
    const ways = [
      (socket: Socket) => socket.end("220 mail.example.com ESMTP\r\n"),
      (socket: Socket) => socket.resetAndDestroy(),
      (socket: Socket) => socket.end(),
    ];
    for (const way of ways) {
      await using proxied = await open(answering(way));
      const client = askForSocket(await proxied.visit());
      client.write("GET /smuggled HTTP/1.1\r\nHost: app\r\n\r\n");
      assert.match(await readAll(client), /^HTTP\/1.1 502 [\s\S]*"code":"bad-answer"/);
      await proxied.nothingInside();
      assert.doesNotMatch(proxied.said, /smuggled/);
    }
  });

  test("that gets an endless page instead is given up when its client leaves", async () => {
    await using proxied = await open(
      answering((socket) => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        const more = (error?: Error | null) => void (error || socket.write(Buffer.alloc(65_536), more));
        more();
      }),
    );
    const client = askForSocket(await proxied.visit());
    await once(client, "data");
    client.resetAndDestroy();
    await proxied.nothingInside();
  });

  test("is reset or ended on both sides when it is on one", async () => {
    for (const way of ["resetAndDestroy", "end"] as const)
      for (const side of ["client", "inside"] as const) {
        await using proxied = await open(answering((socket) => void socket.write(HANDSHAKE)));
        const both = await openSocket(proxied);
        // Both read, and end what was ended on the other side.
        for (const socket of [both.client, both.inside]) socket.on("end", () => socket.end()).resume();
        both[side][way]();
        await closed(both.client);
        await proxied.nothingInside();
      }
  });

  test("loses nothing of what either side says together with its part of the handshake", async () => {
    await using proxied = await open(answering((socket) => void socket.write(`${HANDSHAKE}first`)));
    const visitor = await proxied.visit();
    const headers = [...upgrade(), `Origin: http://${visitor.host}`];
    const client = visitor.say(`${visitor.text({ headers })}early`);
    let told = "";
    client.on("data", (bytes: Buffer) => (told += bytes.toString()));
    await until("what the app said first", () => told.endsWith("\r\n\r\nfirst"));
    await until("what the client said early", () => proxied.said.endsWith("\r\n\r\nearly"));
    client.destroy();
    await proxied.nothingInside();
  });

  test("stops the side that is faster than the other", async () => {
    await using proxied = await open(answering((socket) => void socket.write(HANDSHAKE)));
    const { client, inside } = await openSocket(proxied);
    client.pause();
    const chunk = Buffer.alloc(65_536);
    const flood = 64 * 1_048_576;
    for (let sent = 0; sent < flood; sent += chunk.length) inside.write(chunk);
    let before = -1;
    await until(
      "the flood to stand still",
      () => {
        const still = before === inside.writableLength;
        before = inside.writableLength;
        return still;
      },
      { every: 300 },
    );
    // What the kernel's buffers hold is not ours.
    assert.ok(inside.writableLength > flood / 2, String(inside.writableLength));
    client.destroy();
    await proxied.nothingInside();
  });
});

suite("an app that does not answer", () => {
  test("is answered for in time", async () => {
    for (const asking of EITHER) {
      await using proxied = await Proxied.open({ raw: () => {} }, { limits: { answerMs: 300 } });
      const visitor = await proxied.visit();
      const answer = await visitor.ask(asking);
      assert.deepEqual([answer.status, code(answer)], [504, "no-answer"]);
      await proxied.nothingInside();
    }
  });

  test("to a WebSocket is answered for, and given up when its client leaves", async () => {
    await using proxied = await Proxied.open({ raw: () => {} }, { limits: { upgradeMs: 500 } });
    const visitor = await proxied.visit();
    assert.match(await readAll(askForSocket(visitor)), /^HTTP\/1.1 504 [\s\S]*"code":"no-answer"/);
    await proxied.nothingInside();
    await using patient = await Proxied.open({ raw: () => {} }, { limits: { upgradeMs: 60_000 } });
    const client = askForSocket(await patient.visit());
    await until("the request inside", () => patient.said.includes("GET / "));
    client.resetAndDestroy();
    await patient.nothingInside();
  });
});
