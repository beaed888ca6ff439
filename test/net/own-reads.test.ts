import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { after, suite, test } from "node:test";
import { Intake } from "../../src/net/intake.ts";

const MEBIBYTE = 1024 * 1024;

/** An accepted connection and its other end. */
interface Pair {
  accepted: Socket;
  dialled: Socket;
}

suite("an accepted connection that is read into buffers of one's own", () => {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  after(() => server.close());

  async function pair(): Promise<Pair> {
    if (!server.listening) await once(server, "listening");
    const dialled = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", allowHalfOpen: true });
    const [accepted] = (await once(server, "connection")) as [Socket];
    return { accepted, dialled };
  }

  function take(socket: Socket): { intake: Intake; socket: Socket } {
    const intake = new Intake({ collects: false });
    intake.takeOver(socket);
    return { intake, socket };
  }

  test("brings every byte, in buffers that take turns", async () => {
    const { accepted, dialled } = await pair();
    const { intake } = take(accepted);
    const sent = randomBytes(8 * MEBIBYTE);
    dialled.end(sent);
    const buffers = new Set<ArrayBufferLike>();
    const received: Buffer[] = [];
    for await (const piece of intake.pieces()) {
      buffers.add(piece.buffer);
      received.push(Buffer.from(piece));
    }
    assert.ok(Buffer.concat(received).equals(sent));
    // The first two are small; bulk has two of its own.
    assert.ok(buffers.size <= 4, `${buffers.size} buffers`);
    dialled.destroy();
  });

  test("leaves its buffers to those that follow, once nobody looks at them", async () => {
    const buffers = new Set<ArrayBufferLike>();
    for (let turn = 0; turn < 20; turn += 1) {
      const { accepted, dialled } = await pair();
      const { intake, socket } = take(accepted);
      const closed = once(socket, "close");
      dialled.end("question");
      dialled.resume();
      const piece = (await intake.next()) ?? Buffer.alloc(0);
      buffers.add(piece.buffer);
      socket.end();
      await closed;
      const stranger = await pair();
      const other = take(stranger.accepted).intake;
      for (const words of ["something", "else"]) {
        stranger.dialled.write(words);
        assert.equal(String(await other.next()), words);
      }
      assert.equal(String(piece), "question");
      other.destroy();
      assert.equal(await intake.next(), undefined);
    }
    assert.ok(buffers.size < 10, `${buffers.size} buffers`);
  });

  test("is half-closed by each end by itself", async () => {
    const { accepted, dialled } = await pair();
    const { intake, socket } = take(accepted);
    const closed = Promise.all([once(dialled, "close"), once(socket, "close")]);
    dialled.end("question");
    assert.equal(String(await intake.next()), "question");
    assert.equal(await intake.next(), undefined);
    socket.end("answer");
    assert.equal(String(await once(dialled, "data")), "answer");
    await closed;
  });

  test("tells of a reset, and passes one on", async () => {
    const broken = await pair();
    const { intake } = take(broken.accepted);
    broken.dialled.resetAndDestroy();
    await assert.rejects(intake.next(), { code: "ECONNRESET" });
    const breaking = await pair();
    take(breaking.accepted).socket.resetAndDestroy();
    const [error] = (await once(breaking.dialled, "error")) as [NodeJS.ErrnoException];
    assert.equal(error.code, "ECONNRESET");
  });

  test("is read as a stream where it is no socket", async () => {
    const stream = new PassThrough();
    const intake = new Intake({ collects: false });
    intake.takeOver(stream);
    const sent = randomBytes(MEBIBYTE);
    void (async () => {
      for (let at = 0; at < sent.length; at += 10_000)
        if (!stream.write(sent.subarray(at, at + 10_000))) await once(stream, "drain");
      stream.end();
    })();
    const received: Buffer[] = [];
    for await (const piece of intake.pieces()) received.push(Buffer.from(piece));
    assert.ok(Buffer.concat(received).equals(sent));
  });
});
