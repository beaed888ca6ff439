import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nextTick } from "node:process";
import { Duplex } from "node:stream";
import { after, before, suite, test } from "node:test";
import { reset } from "../../src/net/reset.ts";

suite("a reset", () => {
  const server = createServer({ allowHalfOpen: true });
  before(() => once(server.listen(0, "127.0.0.1"), "listening"));
  after(() => server.close());

  /** Two ends of one connection. */
  async function pair(): Promise<[Socket, Socket]> {
    const far = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
    const [near] = (await once(server, "connection")) as [Socket];
    return [near, far];
  }

  /** What an end that reads hears. */
  async function heard(socket: Socket): Promise<unknown> {
    const [error] = (await once(socket.resume(), "error")) as [NodeJS.ErrnoException];
    return error.code;
  }

  test("is heard, whatever was to be sent before it", async () => {
    const [near, far] = await pair();
    near.write(Buffer.alloc(64 * 1024 * 1024));
    reset(near);
    assert.equal(await heard(far), "ECONNRESET");
    assert.ok(near.closed);
  });

  test("right after an end closes the connection too", async () => {
    for (const later of [(next: () => void) => next(), queueMicrotask, nextTick, setImmediate]) {
      const [near, far] = await pair();
      const closed = once(near, "close");
      near.end("the last words");
      later(() => reset(near));
      await closed;
      // Whoever has heard an end reads no more.
      if (!far.readableEnded) await once(far.resume(), "end");
      far.write("is anybody there?");
      assert.match(String(await heard(far)), /^(ECONNRESET|EPIPE)$/);
    }
  });

  test("after an end that nobody takes does not wait for it", async () => {
    const [near, far] = await pair();
    near.end(Buffer.alloc(64 * 1024 * 1024));
    setImmediate(() => reset(near));
    await once(near, "close");
    assert.equal(await heard(far), "ECONNRESET");
  });

  test("of a connection that knows none closes it, also right after its end", async (t) => {
    const home = mkdtempSync(join(tmpdir(), "fl-reset-"));
    t.after(() => rmSync(home, { recursive: true }));
    const path = join(home, "socket");
    const local = createServer().listen(path);
    t.after(() => local.close());
    await once(local, "listening");
    for (const ends of [false, true]) {
      const far = connect(path);
      const [near] = (await once(local, "connection")) as [Socket];
      if (ends) near.end();
      reset(near);
      await Promise.all([once(near, "close"), once(far.resume(), "close")]);
    }
  });

  test("of what is no connection destroys it", () => {
    const stream = new Duplex({ read() {}, write() {} });
    reset(stream);
    assert.ok(stream.destroyed);
  });
});
