/** A container's pages where its port is reached through a helper container: the connection is no socket of the system's. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { after, suite, test } from "node:test";
import { join } from "../../../src/agent/runtime/docker/guest/join.ts";
import { GuestStream } from "../../../src/agent/runtime/docker/guest/stream.ts";
import { Budget } from "../../../src/mux/budget.ts";
import { openInnerChannel } from "../../../src/mux/inner-channel.ts";
import { until } from "../../support/until.ts";
import { upgrade } from "../../support/front.ts";
import { Proxied } from "./proxied.ts";

const MEBIBYTE = 1_048_576;
const REQUEST = { header: new Uint8Array(0), body: new Uint8Array(0) };

/** Both ends of a helper's connection, without the helper. */
function throughGuest(port: number): GuestStream {
  const accept = (channel: ConstructorParameters<typeof GuestStream>[0]) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    socket.once("connect", () => join(new GuestStream(channel), socket));
  };
  return new GuestStream(openInnerChannel(REQUEST, { budget: new Budget(MEBIBYTE), accept }), "127.0.0.1");
}

suite("an app behind a helper container", () => {
  test("answers requests with and without a body, redirects, and speaks over WebSockets", async () => {
    const app = createServer((request, response) => {
      if (request.url === "/old") response.writeHead(302, { Location: `http://127.0.0.1:8080/new` }).end();
      else request.pipe(response.setHeader("Content-Length", request.headers["content-length"] ?? 0));
    });
    app.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.pipe(socket);
    });
    after(() => {
      app.closeAllConnections();
      app.close();
    });
    let connections = 0;
    app.on("connection", () => (connections += 1));
    await once(app.listen(0, "127.0.0.1"), "listening");
    const { port } = app.address() as AddressInfo;
    await using proxied = await Proxied.open(() => {}, { desk: { dial: () => throughGuest(port) } });
    const visitor = await proxied.visit();
    for (let round = 0; round < 3; round++) {
      assert.equal((await visitor.ask({ path: "/" })).status, 200);
      const body = "x".repeat(MEBIBYTE);
      const echoed = await visitor.ask({ method: "POST", path: "/", body });
      assert.deepEqual([echoed.status, echoed.body.length], [200, MEBIBYTE]);
    }
    assert.equal(connections, 2, "each kind of request keeps its connection");
    assert.equal((await visitor.ask({ path: "/old" })).headers["location"], `http://${visitor.host}/new`);
    const client = visitor.say(visitor.text({ headers: [...upgrade(), `Origin: http://${visitor.host}`] }));
    let said = "";
    client.on("data", (bytes: Buffer) => (said += bytes.toString("latin1")));
    await until("the agreement", () => said.includes("101 Switching"));
    client.write("over there");
    await until("the echo", () => said.endsWith("over there"));
    client.destroy();
    const open = () => new Promise<number>((resolve) => app.getConnections((_, count) => resolve(count)));
    // The other two are kept for a while.
    await until("its end", async () => (await open()) <= 2);
  });
});
