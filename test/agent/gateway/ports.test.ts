import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { suite, test } from "node:test";
import { WebSocket } from "ws";
import { RuntimeError } from "../../../src/agent/runtime/runtime.ts";
import { V4, V5 } from "../../../src/protocol/remote-command.ts";
import { settled, until } from "../../support/until.ts";
import { bearer, code, type Front, startFront, upgrade } from "../../support/front.ts";

const PATH = "/api/v1/containers/web/ports/";
const PORT = 8080;
const PORT_BYTES = String.fromCharCode(PORT & 255, PORT >> 8);
const MEBIBYTE = 1_048_576;

/** A container whose port leads to a server of the test's own, and clients of the door to it. */
class Scene {
  readonly front: Front;
  readonly #server: Server;
  readonly #accepted: Promise<Socket>;

  static async open(limits = {}): Promise<Scene> {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    const accepted = once(server, "connection").then(([socket]) => (socket as Socket).on("error", () => {}));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const dial = (wanted: number) => {
      if (wanted !== PORT) throw new RuntimeError("dial-refused", `nothing listens on port ${wanted}`);
      return connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    };
    return new Scene(await startFront({ desk: { dial, limits } }), server, accepted);
  }

  private constructor(front: Front, server: Server, accepted: Promise<Socket>) {
    this.front = front;
    this.#server = server;
    this.#accepted = accepted;
  }

  /** What the container sees. */
  get inside(): Promise<Socket> {
    return this.#accepted;
  }

  async connect(protocols: string[] = []) {
    const headers = { authorization: `Bearer ${this.front.admin}` };
    const socket = new WebSocket(`ws://${this.front.host}${PATH}${PORT}`, protocols, { headers });
    const got: Buffer[] = [];
    socket.on("message", (data: Buffer) => got.push(data));
    const closed = once(socket, "close").then(([closeCode]) => closeCode as number);
    await once(socket, "open");
    return { socket, got, closed };
  }

  async ended(): Promise<{ outcome: string | undefined; bytesIn: number | undefined; bytesOut: number | undefined }> {
    await until("no session any more", () => Object.keys(this.front.desk.sessions.counts()).length === 0);
    const end = this.front.desk.audit.find(({ event }) => event === "end");
    return { outcome: end?.outcome, bytesIn: end?.bytesIn, bytesOut: end?.bytesOut };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.front[Symbol.asyncDispose]();
    this.#server.close();
  }
}

async function read(socket: Socket, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let count = 0;
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk as Buffer);
    count += (chunk as Buffer).length;
    if (count >= bytes) break;
  }
  return Buffer.concat(chunks);
}

/** Until the other side says that no more comes. */
async function readAll(socket: Socket): Promise<Buffer> {
  return read(socket, Number.POSITIVE_INFINITY);
}

suite("a port over one WebSocket", () => {
  test("carries bytes both ways and ends when the container ends it", async () => {
    for (const protocols of [[], ["binary"]]) {
      await using scene = await Scene.open();
      const { socket, got, closed } = await scene.connect(protocols);
      assert.equal(socket.protocol, protocols[0] ?? "");
      socket.send("GET");
      socket.send(Buffer.alloc(0));
      socket.send(Buffer.from([0, 255]));
      const inside = await scene.inside;
      assert.equal((await read(inside, 5)).toString("latin1"), "GET\0\xff");
      inside.end("answer");
      assert.equal(await closed, 1000);
      assert.equal(Buffer.concat(got).toString(), "answer");
      assert.deepEqual(await scene.ended(), { outcome: "client-gone", bytesIn: 5, bytesOut: 6 });
      const [open] = scene.front.desk.audit;
      assert.deepEqual([open?.kind, open?.ports], ["forward", [PORT]]);
      assert.equal(open?.remote, `127.0.0.1 ${protocols[0] ?? "websocket"}`);
    }
  });

  test("delivers everything that was sent before a goodbye, and then the end", async () => {
    await using scene = await Scene.open();
    const { socket } = await scene.connect();
    const inside = await scene.inside;
    inside.pause();
    const sent = Buffer.alloc(8 * MEBIBYTE, "0123456789abcdef");
    for (let at = 0; at < sent.length; at += 65_536) socket.send(sent.subarray(at, at + 65_536));
    socket.close(1000);
    assert.ok((await readAll(inside)).equals(sent));
    inside.end();
    const { bytesIn } = await scene.ended();
    assert.equal(bytesIn, sent.length);
  });

  test("delivers everything that the container sent before its end", async () => {
    await using scene = await Scene.open();
    const { got, closed } = await scene.connect();
    const sent = Buffer.alloc(8 * MEBIBYTE, "0123456789abcdef");
    (await scene.inside).end(sent);
    assert.equal(await closed, 1000);
    assert.ok(Buffer.concat(got).equals(sent));
  });

  test("turns a client that vanishes into a reset, and a reset into a close code that is no good end", async () => {
    await using scene = await Scene.open();
    const { socket } = await scene.connect();
    const inside = await scene.inside;
    inside.resume();
    const failed = once(inside, "error");
    socket.terminate();
    assert.equal(((await failed) as [NodeJS.ErrnoException])[0].code, "ECONNRESET");
    await scene.ended();
    await using other = await Scene.open();
    const { closed } = await other.connect();
    (await other.inside).resetAndDestroy();
    assert.equal(await closed, 1011);
    await other.ended();
  });

  test("stops a container that sends faster than the client reads, and a client that sends faster than the container", async () => {
    await using scene = await Scene.open();
    const { socket } = await scene.connect();
    socket.pause();
    const inside = await scene.inside;
    inside.pause();
    const chunk = Buffer.alloc(65_536);
    for (let written = 0; written < 64 * MEBIBYTE; written += chunk.length) {
      inside.write(chunk);
      socket.send(chunk);
    }
    // What the kernel's buffers hold is not ours.
    assert.ok((await settled(() => inside.writableLength)) > 32 * MEBIBYTE);
    assert.ok((await settled(() => socket.bufferedAmount)) > 32 * MEBIBYTE);
    socket.terminate();
    inside.destroy();
    await scene.ended();
  });

  test("ends with the withdrawal of the access, and with the agent", async () => {
    await using scene = await Scene.open();
    const { closed } = await scene.connect();
    scene.front.credentials.tokens.revoke("local");
    assert.equal(await closed, 4401);
    await using other = await Scene.open();
    const open = await other.connect();
    await other.front.desk.sessions.close();
    assert.equal(await open.closed, 1001);
  });
});

suite("a port in the channels of Kubernetes", () => {
  test("names the port first on both channels, and carries the bytes on the first", async () => {
    for (const protocol of [V5, V4]) {
      await using scene = await Scene.open();
      const { socket, got, closed } = await scene.connect([protocol]);
      socket.send("\u0000ping");
      const inside = await scene.inside;
      assert.equal((await read(inside, 4)).toString(), "ping");
      inside.end("pong");
      assert.equal(await closed, 1000);
      const messages = got.map((message) => message.toString("latin1"));
      assert.deepEqual(messages, [`\0${PORT_BYTES}`, `\u0001${PORT_BYTES}`, "\0pong"]);
    }
  });

  test("ends the input alone on v5, and passes that over on v4", async () => {
    await using scene = await Scene.open();
    const { socket, got, closed } = await scene.connect([V5]);
    socket.send("\u0000question");
    socket.send(Buffer.of(255, 0));
    socket.send("\u0000too late");
    const inside = await scene.inside;
    assert.equal((await readAll(inside)).toString(), "question");
    inside.end("answer");
    assert.equal(await closed, 1000);
    assert.equal(got.at(-1)?.toString(), "\0answer");
    await using other = await Scene.open();
    const old = await other.connect([V4]);
    old.socket.send(Buffer.of(255, 0));
    old.socket.send("\u0000still");
    assert.equal((await read(await other.inside, 5)).toString(), "still");
    old.socket.terminate();
  });

  test("has words for a reset, and none for what it does not understand", async () => {
    await using scene = await Scene.open();
    const { got, closed } = await scene.connect([V5]);
    (await scene.inside).resetAndDestroy();
    await closed;
    assert.equal(got.at(-1)?.toString(), "\u0001the container reset the connection");
    for (const wrong of [[255], [255, 2], [255, 0, 0]]) {
      await using other = await Scene.open();
      const { socket, closed: end } = await other.connect([V5]);
      socket.send(Buffer.of(1));
      socket.send(Buffer.of(7, 7));
      socket.send(Buffer.from(wrong));
      assert.equal(await end, 1002);
      await other.ended();
    }
  });
});

suite("before the upgrade to a port", () => {
  test("what is wrong is told in HTTP", async () => {
    await using scene = await Scene.open({ connections: 1 });
    const ask = async (path: string, ...headers: string[]) => {
      const answer = await scene.front.ask({ path, headers: upgrade(bearer(scene.front.admin), ...headers) });
      return [answer.status, code(answer)];
    };
    for (const port of ["0", "65536", "080", "8e1", "-1", "80.0", "%2080", "http", "99999999999"])
      assert.deepEqual(await ask(PATH + port), [400, "bad-request"], port);
    const none = await scene.front.ask({ path: `${PATH}0`, headers: upgrade(bearer(scene.front.admin)) });
    assert.match(none.body, /see port, which must be a port from 1 to 65535\./);
    assert.deepEqual(await ask(`${PATH}${PORT}?x=1`), [400, "bad-request"]);
    assert.deepEqual(await ask(PATH + PORT, "Sec-WebSocket-Protocol: soap"), [400, "bad-request"]);
    assert.deepEqual(await ask(`/api/v1/containers/nothing/ports/${PORT}`), [404, "not-found"]);
    assert.deepEqual(await ask(`${PATH}81`), [502, "dial-refused"]);
    const { socket } = await scene.connect();
    assert.deepEqual(await ask(PATH + PORT), [429, "too-many"]);
    socket.terminate();
    await scene.ended();
  });

  test("a handshake that fails after the dial leaves nothing behind", async () => {
    await using scene = await Scene.open();
    const headers = upgrade(bearer(scene.front.admin)).map((line) => line.replace("Version: 13", "Version: 7"));
    assert.equal((await scene.front.ask({ path: PATH + PORT, headers })).status, 400);
    await scene.ended();
  });
});
