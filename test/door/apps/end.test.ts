/** How what is proxied comes to its end: a WebSocket by either side, and the whole app when nothing moves any more. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { Socket } from "node:net";
import { mock, test } from "node:test";
import { until } from "../../support/until.ts";
import { closed, upgrade } from "../../support/front.ts";
import { everywhere, Proxied, type ProxiedOptions, type Visitor } from "./proxied.ts";

/** How often the agent looks for what is idle, and how long it may be here; milliseconds. */
const LOOK_MS = 15_000;
const IDLE_MS = 200;
const AGREED = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const PAGE = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage";

/** Agrees to a WebSocket and echoes what comes on it; answers anything else with a page. */
function app(socket: Socket): void {
  let speaking = false;
  socket.on("data", (bytes) => {
    if (speaking) return void socket.write(bytes);
    speaking = /^upgrade:/im.test(bytes.toString());
    socket.write(speaking ? AGREED : PAGE);
  });
}

/** Says what came on it since. */
function listen(socket: Socket): () => string {
  let said = "";
  socket.on("data", (bytes: Buffer) => (said += bytes.toString("latin1")));
  return () => said;
}

/** A WebSocket that is open; the first bytes of the app's side are `inside`'s. */
async function openWebSocket(proxied: Proxied, visitor: Visitor) {
  const headers = [...upgrade(), `Origin: http://${visitor.host}`];
  const before = proxied.inside.length;
  const client = visitor.say(visitor.text({ headers }));
  const said = listen(client);
  await until("the app's agreement", () => said().startsWith("HTTP/1.1 101"));
  const inside = await until("a connection to the app", () => proxied.inside[before]);
  return { client, said, inside };
}

everywhere("a proxied WebSocket", (open) => {
  test("carries both ways, and ends at the app when its browser has gone", async () => {
    await using proxied = await open({ raw: app });
    const { client, said } = await openWebSocket(proxied, await proxied.visit());
    client.write("echo this");
    await until("the echo", () => said().endsWith("echo this"));
    client.end();
    await proxied.nothingInside();
    await closed(client);
    assert.equal(proxied.front.desk.sessions.counts()["proxy"], 1);
    assert.equal(proxied.front.desk.sessions.traffic.connections, 0);
  });

  test("ends at its browser when the app ends it, after everything that the app has said", async () => {
    await using proxied = await open({ raw: app });
    const { client, said, inside } = await openWebSocket(proxied, await proxied.visit());
    const last = "x".repeat(200_000);
    inside.end(last);
    await once(client, "end");
    assert.ok(said().endsWith(last));
    client.end();
    await closed(client);
    await proxied.nothingInside();
  });

  test("that is reset on one side is gone on the other", async () => {
    await using proxied = await open({ raw: app });
    const visitor = await proxied.visit();
    const first = await openWebSocket(proxied, visitor);
    first.client.resetAndDestroy();
    await closed(first.inside);
    const second = await openWebSocket(proxied, visitor);
    second.inside.resetAndDestroy();
    await closed(second.client);
    await proxied.nothingInside();
  });
});

everywhere("an app on which nothing moves", (open) => {
  /** Time goes on for who looks for idle sessions alone. */
  async function idling(work: (proxied: Proxied) => Promise<void>): Promise<void> {
    mock.timers.enable({ apis: ["setInterval"] });
    try {
      const options: ProxiedOptions = { desk: { limits: { idle: IDLE_MS } } };
      await using proxied = await open({ raw: app }, options);
      await work(proxied);
    } finally {
      mock.timers.reset();
    }
  }

  /** The agent looks, after so long a silence that it counts. */
  async function silence(): Promise<void> {
    const since = performance.now();
    await until("a silence", () => performance.now() - since > IDLE_MS);
    mock.timers.tick(LOOK_MS);
  }

  test("is ended with its cookie and its silent WebSocket, and the audit tells why", async () => {
    await idling(async (proxied) => {
      const visitor = await proxied.visit();
      const { client } = await openWebSocket(proxied, visitor);
      // At the first look it has just been opened.
      await silence();
      assert.equal(proxied.front.desk.sessions.counts()["proxy"], 1);
      await silence();
      await closed(client);
      await proxied.nothingInside();
      await proxied.noSessions();
      assert.equal((await visitor.ask()).status, 401);
      const end = await until("the end's line", () => proxied.front.desk.audit.find(({ event }) => event === "end"));
      assert.partialDeepStrictEqual(end, { kind: "proxy", outcome: "idle", connections: 1 });
      assert.ok((end.bytesOut ?? 0) >= AGREED.length);
    });
  });

  test("goes on while a WebSocket moves something, in either direction", async () => {
    await idling(async (proxied) => {
      const { client, said, inside } = await openWebSocket(proxied, await proxied.visit());
      await silence();
      for (const [from, word] of [
        [client, "one"],
        [inside, "two"],
        [client, "three"],
      ] as const) {
        from.write(word);
        await until(`${word} over there`, () => said().endsWith(word));
        await silence();
        assert.equal(proxied.front.desk.sessions.counts()["proxy"], 1, word);
      }
      await silence();
      await closed(client);
    });
  });

  test("goes on while pages are asked for over a kept connection, and not because one is kept", async () => {
    await idling(async (proxied) => {
      const visitor = await proxied.visit();
      for (let i = 0; i < 3; i++) {
        assert.equal((await visitor.ask()).body, "page");
        await silence();
        assert.equal(proxied.front.desk.sessions.counts()["proxy"], 1);
      }
      assert.equal(proxied.inside.length, 1);
      await silence();
      await proxied.noSessions();
      await proxied.nothingInside();
    });
  });
});
