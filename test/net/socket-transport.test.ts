/** What two transports say to each other, and to the library by itself, arrives whole and in order, whichever way it takes. */

import assert from "node:assert/strict";
import { createHash, randomBytes, randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer as createPlain, type IncomingMessage } from "node:http";
import { createServer as createSecure } from "node:https";
import { type AddressInfo, connect as connectPlain, type Socket } from "node:net";
import { after, afterEach, before, suite, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { FramePool } from "../../src/mux/frame-pool.ts";
import type { Transport } from "../../src/mux/transport.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import { certificate, type TestCertificate } from "../support/certificate.ts";
import { until } from "../support/until.ts";

/** Of frames as the multiplexer makes them: of every class, between them, and small ones. */
const SIZES = [1, 13, 125, 126, 4_095, 4_096, 16_390, 32_774, 65_535, 65_542, 70_000, 122_886, 131_077];
const COUNT = 300;

/** The two ends of a connection. */
interface Ends {
  near: { socket: WebSocket; wire: Socket };
  far: { socket: WebSocket; wire: Socket };
}

let tls: TestCertificate;
before(async () => {
  tls = await certificate();
});

function digest(bytes: Uint8Array): string {
  return `${bytes.length} ${createHash("sha256").update(bytes).digest("hex").slice(0, 16)}`;
}

/** Says so many random messages and tells their digests; memory is used again once it has left. */
async function say(transport: Transport, count = COUNT): Promise<string[]> {
  const pool = new FramePool();
  const said: string[] = [];
  for (let i = 0; i < count; i += 1) {
    const frame = pool.blank(SIZES[randomInt(SIZES.length)] ?? 1);
    randomBytes(frame.length).copy(frame);
    said.push(digest(frame));
    transport.send(frame);
    if (i % 7 === 0) while (transport.buffered > 0) await new Promise((resolve) => setTimeout(resolve, 1));
    if (transport.buffered === 0) pool.recycle(frame);
  }
  return said;
}

/** Everything that comes, as it comes; `pool`: into memory from there. */
function hear(transport: Transport, pool?: FramePool): string[] {
  const heard: string[] = [];
  const message = (bytes: Uint8Array) => {
    heard.push(digest(bytes));
    pool?.recycle(bytes);
  };
  const blank = pool && ((length: number, make: (size: number) => ArrayBuffer) => pool.blank(length, make));
  transport.start({ message, drain() {}, close() {}, ...(blank && { blank }) });
  return heard;
}

async function heardAll(heard: string[], count: number): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (heard.length < count && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
}

for (const kind of ["TCP", "TLS"] as const)
  suite(`messages over ${kind}`, () => {
    const sockets = new WebSocketServer({ noServer: true });
    let url = "";
    let close = () => {};
    /** What the server does with a connection in the tick in which it has it. */
    let welcome: (far: Ends["far"]) => void = () => {};

    before(async () => {
      const server = kind === "TLS" ? createSecure(tls) : createPlain();
      server.on("upgrade", (request: IncomingMessage, wire: Socket, head: Buffer) =>
        sockets.handleUpgrade(request, wire, head, (socket) => welcome({ socket, wire })),
      );
      await once(server.listen(0, "127.0.0.1"), "listening");
      url = `${kind === "TLS" ? "wss" : "ws"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
      close = () => {
        server.close();
        server.closeAllConnections();
      };
    });
    after(() => {
      for (const client of sockets.clients) client.terminate();
      close();
    });

    /** `arrived` hears of both ends, each in its tick. */
    async function connect<T>(parts: {
      near: (end: Ends["near"]) => T;
      far: (end: Ends["far"]) => T;
      mask?: number;
    }): Promise<{ near: T; far: T }> {
      const far = new Promise<T>((resolve) => {
        welcome = (end) => resolve(parts.far(end));
      });
      const generateMask = (mask: Buffer) => void mask.fill(parts.mask ?? 0);
      const socket = new WebSocket(url, { rejectUnauthorized: false, perMessageDeflate: false, generateMask });
      let wire: Socket | undefined;
      socket.once("upgrade", (answer: IncomingMessage) => {
        wire = answer.socket;
      });
      const near = await new Promise<T>((resolve, reject) => {
        socket.once("open", () => wire && resolve(parts.near({ socket, wire })));
        socket.once("error", reject);
      });
      return { near, far: await far };
    }

    test("arrive whole and in order, both ways at once, and do not come to the library", async () => {
      let library = 0;
      const counted = (end: Ends["near"], from: "client" | "server") => {
        end.socket.on("message", () => (library += 1));
        return new SocketTransport({ ...end, peer: from });
      };
      const ends = await connect({ near: (end) => counted(end, "server"), far: (end) => counted(end, "client") });
      const heardFar = hear(ends.far, new FramePool());
      const heardNear = hear(ends.near, new FramePool());
      const [saidNear, saidFar] = await Promise.all([say(ends.near), say(ends.far)]);
      await heardAll(heardFar, COUNT);
      await heardAll(heardNear, COUNT);
      assert.deepEqual(heardFar, saidNear);
      assert.deepEqual(heardNear, saidFar);
      assert.equal(library, 0);
    });

    test("that come with the handshake's answer are heard too", async () => {
      const said: string[] = [];
      const ends = await connect<Transport>({
        near: (end) => new SocketTransport({ ...end, peer: "server" }),
        far: (end) => {
          const transport = new SocketTransport({ ...end, peer: "client" });
          for (const size of [5, 4_000, 16_390, 9]) {
            const frame = randomBytes(size);
            said.push(digest(frame));
            transport.send(frame);
          }
          return transport;
        },
      });
      const heard = hear(ends.near);
      await heardAll(heard, said.length);
      assert.deepEqual(heard, said);
    });

    test("with a mask come through the library, and so do those between its own", async () => {
      const ends = await connect<Transport>({
        near: (end) => new SocketTransport({ ...end, peer: "server", masks: true }),
        far: (end) => new SocketTransport({ ...end, peer: "client" }),
        mask: 0x5a,
      });
      const heard = hear(ends.far, new FramePool());
      const said = await say(ends.near, 60);
      await heardAll(heard, said.length);
      assert.deepEqual(heard, said);
    });

    test("are understood by the library, which is answered in turn", async () => {
      const ends = await connect<Transport | WebSocket>({
        near: ({ socket }) => socket,
        far: (end) => new SocketTransport({ ...end, peer: "client" }),
      });
      const [library, transport] = [ends.near as WebSocket, ends.far as Transport];
      const heard: string[] = [];
      library.on("message", (bytes: Buffer) => heard.push(digest(bytes)));
      const answers = hear(transport);
      const said = await say(transport, 100);
      await heardAll(heard, said.length);
      assert.deepEqual(heard, said);
      const pong = once(library, "pong");
      library.ping("still there?");
      assert.equal(String((await pong)[0]), "still there?");
      library.send(Buffer.from("yes"));
      await heardAll(answers, 1);
      assert.deepEqual(answers, [digest(Buffer.from("yes"))]);
      library.close(4321, "that was all");
      const [code] = (await once(library, "close")) as [number];
      assert.equal(code, 4321);
    });

    test("end with a goodbye that both sides hear", async () => {
      const ends = await connect<Transport>({
        near: (end) => new SocketTransport({ ...end, peer: "server" }),
        far: (end) => new SocketTransport({ ...end, peer: "client" }),
      });
      const heard = new Promise((resolve) => ends.far.start({ message() {}, drain() {}, close: resolve }));
      const own = new Promise((resolve) => ends.near.start({ message() {}, drain() {}, close: resolve }));
      ends.near.close(1000, "done");
      assert.deepEqual(await heard, { code: 1000, reason: "done" });
      assert.deepEqual(await own, { code: 1000, reason: "done" });
    });
  });

suite("a client that speaks to the library by itself", () => {
  const MAX_CHUNKS = 50;
  const server = createPlain();
  const sockets = new WebSocketServer({ noServer: true, maxBufferedChunks: MAX_CHUNKS });
  const told: string[] = [];
  let raw: Socket;

  before(async () => {
    await once(server.listen(0, "127.0.0.1"), "listening");
  });
  after(() => {
    server.close();
    server.closeAllConnections();
    for (const client of sockets.clients) client.terminate();
  });
  afterEach(() => {
    raw.destroy();
    told.length = 0;
  });

  /** Asks for a WebSocket, with the first bytes already behind the request; nothing is read until the server answers. */
  async function ask(first: Buffer): Promise<{ wire: Socket; answer: () => void }> {
    raw = connectPlain({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", noDelay: true });
    raw.on("error", () => {});
    raw.resume();
    const key = randomBytes(16).toString("base64");
    const words = [
      "GET / HTTP/1.1",
      "Host: x",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
    ];
    const asked = once(server, "upgrade") as Promise<[IncomingMessage, Socket, Buffer]>;
    raw.write(Buffer.concat([Buffer.from(`${words.join("\r\n")}\r\nSec-WebSocket-Key: ${key}\r\n\r\n`), first]));
    const [request, wire, head] = await asked;
    const answer = () =>
      sockets.handleUpgrade(request, wire, head, (socket) => {
        socket.on("error", (error) => told.push(error.message));
        const message = ({ length }: Uint8Array) => void told.push(String(length));
        new SocketTransport({ socket, wire, peer: "client" }).start({ message, drain() {}, close() {} });
      });
    return { wire, answer };
  }

  /** A masked binary message. */
  function message(length: number, mask: number): Buffer {
    const head = Buffer.from([0x82, 0x80 | 126, length >> 8, length & 255, mask, mask, mask, mask]);
    return Buffer.concat([head, Buffer.alloc(length)]);
  }

  test("before it was answered, in several pieces, is heard in order", async () => {
    const all = Buffer.concat([1_000, 2_000, 3_000, 500].map((length) => message(length, 0)));
    const { wire, answer } = await ask(all.subarray(0, 1_500));
    for (const [from, to] of [
      [1_500, 4_000],
      [4_000, 6_000],
    ] as const) {
      raw.write(all.subarray(from, to));
      await until("the piece", () => wire.readableLength >= to - 1_500);
    }
    answer();
    raw.write(all.subarray(6_000));
    await heardAll(told, 4);
    assert.deepEqual(told, ["1000", "2000", "3000", "500"]);
  });

  test("and was refused is not heard any more", async () => {
    const { answer } = await ask(Buffer.alloc(0));
    answer();
    for (const byte of message(200, 0x5a)) {
      raw.write(Buffer.from([byte]));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await heardAll(told, 1);
    raw.write(message(777, 0));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.deepEqual(told, ["Too many buffered chunks"]);
  });
});
