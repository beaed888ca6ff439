import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, suite, test } from "node:test";
import { call } from "../../../src/agent/uplink/call.ts";
import { ServerAgent } from "../../../src/agent/uplink/secure.ts";
import { FairleadError } from "../../../src/protocol/errors.ts";

suite("what an agent makes of a server that is none", () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
  });

  async function answering(listener: RequestListener, signal = new AbortController().signal): Promise<unknown> {
    const server = createServer(listener).listen(0, "127.0.0.1");
    servers.push(server);
    await once(server, "listening");
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const address = { url, pin: undefined };
    return call({ server: address, agent: new ServerAgent(address), signal }, { path: "/x", body: "{}", headers: {} });
  }

  async function refusal(listener: RequestListener): Promise<string> {
    try {
      await answering(listener);
    } catch (error) {
      if (error instanceof FairleadError) return `${error.code}: ${error.message}`;
      throw error;
    }
    return "none";
  }

  test("JSON is an answer", async () => {
    assert.deepEqual(await answering((_, reply) => void reply.end('{"a":1}')), { a: 1 });
  });

  test("HTML, truncated JSON, redirects and errors without words are told for what they are", async () => {
    assert.match(await refusal((_, r) => void r.end("<html>hello")), /^protocol-error: .*200 with "<html>hello"/);
    assert.match(await refusal((_, r) => void r.end('{"settings":')), /^protocol-error/);
    const moved = await refusal((_, r) => void r.writeHead(302, { location: "https://other/" }).end());
    assert.match(moved, /^protocol-error: .*points to "https:\/\/other\/"/);
    assert.match(await refusal((_, r) => void r.writeHead(500).end("oops")), /^unreachable: .*answers 500/);
    assert.match(await refusal((_, r) => void r.end("x".repeat(2_000_000))), /^protocol-error: .*longer than/);
  });

  test("an answer that breaks off, or never comes, is no answer", async () => {
    const torn: RequestListener = (_, reply) => {
      reply.writeHead(200, { "content-length": "100" }).write("{");
      setImmediate(() => reply.destroy());
    };
    assert.match(await refusal(torn), /^unreachable/);
    assert.match(await refusal(() => undefined), /^unreachable: .*no answer within 10 s/);
  });
});
