/** An agent that is to end while its server keeps it waiting: nobody wants that connection any more. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { after, suite, test } from "node:test";
import { createServer as createSecureServer, type TLSSocket } from "node:tls";
import { dialServer } from "../../../src/agent/uplink/dial.ts";
import { newKey } from "../../../src/auth/keys.ts";
import { startAgent } from "../../support/agent.ts";
import { certificate } from "../../support/certificate.ts";

const NO_ENGINE = { host: "unix:///nowhere/docker.sock" };
const TOKEN = `flb_${"x".repeat(43)}`;
const SIGNER = { keyName: "box/uid/key", key: newKey(), epoch: 1 };
/** Far less than a handshake may take. */
const SOON_MS = 5_000;

suite("waits no longer, once it is to end, for a server that", () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) server.close();
  });

  async function listening(server: Server): Promise<URL> {
    servers.push(server.listen(0, "127.0.0.1"));
    await once(server, "listening");
    return new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  /** Milliseconds until a dial has failed that is called off when the server has come so far. */
  async function givingUp(url: URL, come: Promise<unknown>): Promise<number> {
    const server = { url, pin: `sha256:${"0".repeat(64)}`, key: newKey().publicKey };
    const stop = new AbortController();
    const dialled = assert.rejects(dialServer({ server, signer: () => SIGNER })(stop.signal));
    await come;
    const began = performance.now();
    stop.abort();
    await dialled;
    return performance.now() - began;
  }

  test("says nothing in the handshake", async () => {
    const server = createServer((socket) => void socket.resume().on("error", () => {}));
    const ms = await givingUp(await listening(server), once(server, "connection"));
    assert.ok(ms < SOON_MS, `${ms} ms`);
  });

  test("comes with another certificate, and does not answer whether it is still itself", async () => {
    const server = createSecureServer(await certificate());
    const asked = new Promise((resolve) => {
      server.on("secureConnection", (socket: TLSSocket) => socket.once("data", resolve).on("error", () => {}));
    });
    const ms = await givingUp(await listening(server), asked);
    assert.ok(ms < SOON_MS, `${ms} ms`);
  });

  test("was not called yet", async () => {
    const server = createServer((socket) => void socket.resume().on("error", () => {}));
    const url = await listening(server);
    for (const protocol of ["http:", "https:"]) {
      url.protocol = protocol;
      const dial = dialServer({ server: { url, pin: undefined }, signer: () => SIGNER });
      const began = performance.now();
      await assert.rejects(dial(AbortSignal.abort()));
      assert.ok(performance.now() - began < SOON_MS);
    }
  });

  test("is to register it", async () => {
    const server = createServer((socket) => void socket.resume().on("error", () => {}));
    const { href } = await listening(server);
    const called = once(server, "connection");
    const agent = await startAgent({ engine: NO_ENGINE, flags: ["-S", href, "--token", TOKEN] });
    await called;
    const began = performance.now();
    await agent.stop();
    assert.ok(performance.now() - began < SOON_MS);
  });
});
