import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { after, suite, test } from "node:test";
import { dialServer } from "../../../src/agent/uplink/dial.ts";
import { newKey } from "../../../src/auth/keys.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";

const JSON_HEAD = "HTTP/1.1 404 Not Found\r\nContent-Type: application/problem+json\r\nConnection: close\r\n\r\n";
const PROBLEM = { type: "x", title: "x", status: 404, code: "unknown-node", detail: "no such host" };

suite("what an agent makes of a server whose line is none", () => {
  const servers: Server[] = [];
  after(() => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  });

  /** What dialling fails with where this is said to the handshake. */
  async function failure(answer: string | undefined): Promise<string> {
    const server = createServer().listen(0, "127.0.0.1");
    servers.push(server);
    server.on("upgrade", (_request, socket: Duplex) => {
      socket.on("error", () => undefined);
      if (answer !== undefined) socket.end(answer);
    });
    await once(server, "listening");
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const signer = { keyName: "box/uid/key", key: newKey(), epoch: 1 };
    const dial = dialServer({ server: { url, pin: undefined }, signer: () => signer });
    return dial(new AbortController().signal).then(
      () => "a line",
      (error: Error) => `${error instanceof FairleadError ? error.code : ""}: ${error.message}`,
    );
  }

  test("HTML, a redirect, an error without words and truncated JSON are told for what they are", async () => {
    const html = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>";
    assert.match(await failure(html), /^unreachable: The server answers 200 where a WebSocket was asked for/);
    const moved = "HTTP/1.1 302 Found\r\nLocation: https://other/\r\nContent-Length: 0\r\n\r\n";
    assert.match(await failure(moved), /^unreachable: The server answers 302/);
    assert.match(await failure("HTTP/1.1 500 Oops\r\n\r\n"), /^unreachable: The server answers 500/);
    assert.match(await failure(`${JSON_HEAD}{"type":`), /^unreachable: The server answers 404/);
    assert.equal(await failure(JSON_HEAD + JSON.stringify(PROBLEM)), "unknown-node: no such host");
  });

  test("another protocol, nonsense, and a connection that ends are failures with words", async () => {
    const other =
      "HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x\r\n\r\n";
    for (const answer of [other, "SSH-2.0-OpenSSH\r\n", ""]) assert.match(await failure(answer), /: .+/);
  });

  test("no answer at all is one within 15 s", async () => {
    assert.match(await failure(undefined), /handshake has timed out/);
  });
});
