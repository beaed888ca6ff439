/** The contract of a transport, on each that runs here. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer as createHttp, type IncomingMessage } from "node:http";
import { createServer as createHttps } from "node:https";
import { type AddressInfo, createServer, connect as connectPlain, type Socket } from "node:net";
import { suite, test } from "node:test";
import { WebSocket as NodeSocket, WebSocketServer } from "ws";
import { ByteTransport } from "../../src/agent/runtime/docker/guest/byte-transport.ts";
import { CLOSE, type CloseInfo } from "../../src/mux/errors.ts";
import { browserTransport, type Transport, type TransportEvents, type WebSocketLike } from "../../src/mux/transport.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import { certificate } from "../support/certificate.ts";
import { transportPair } from "../support/transport-pair.ts";
import { settled, until } from "../support/until.ts";

interface Pair {
  near: Transport;
  far: Transport;
  /** The far end reads nothing from here until `resume`; absent where nothing ever waits. */
  stall?: { pause: () => void; resume: () => void };
  /** The network goes. */
  cut: () => void;
  close: () => void;
}

interface Rig {
  name: string;
  open: () => Promise<Pair>;
  /** What the other end hears of a goodbye, where not all of it. */
  heard?: (said: CloseInfo) => CloseInfo;
}

/** As `CloseInfo` tells it where no goodbye came. */
const LOST = { code: CLOSE.cut, reason: "" };
const PIECE = 65_536;
const MOST = 64 * 1_048_576;
/** 121 bytes, and 4 of a character that does not fit any more. */
const LONG = `${"ä".repeat(60)}.🚢`;

/** A server's end is always Node's; the client's is Node's or a page's. */
async function webSockets(client: "node" | "masking node" | "page", secure = false): Promise<Pair> {
  const server = secure ? createHttps(await certificate()) : createHttp();
  const sockets = new WebSocketServer({ noServer: true });
  const arrived = new Promise<{ far: Transport; socket: NodeSocket; wire: Socket }>((resolve) => {
    server.on("upgrade", (request: IncomingMessage, wire: Socket, head: Buffer) =>
      sockets.handleUpgrade(request, wire, head, (socket) =>
        resolve({ far: new SocketTransport({ socket, wire, peer: "client" }), socket, wire }),
      ),
    );
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const url = `${secure ? "wss" : "ws"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const near = client === "page" ? await dialAsPage(url) : await dialAsNode(url, client === "masking node");
  const { far, socket, wire } = await arrived;
  const close = () => {
    wire.destroy();
    server.close();
  };
  return { near, far, stall: socket, cut: () => void wire.destroy(), close };
}

/** Node has the WebSocket of browsers too, which refuses what theirs refuse. */
function dialAsPage(url: string): Promise<Transport> {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(browserTransport(socket as WebSocketLike)));
    socket.addEventListener("error", () => reject(new Error("no connection")));
  });
}

function dialAsNode(url: string, masks: boolean): Promise<Transport> {
  const generateMask = (mask: Buffer) => void mask.fill(masks ? 0x5a : 0);
  const socket = new NodeSocket(url, { rejectUnauthorized: false, perMessageDeflate: false, generateMask });
  return new Promise((resolve, reject) => {
    socket.once("upgrade", ({ socket: wire }: IncomingMessage) =>
      socket.once("open", () => resolve(new SocketTransport({ socket, wire, peer: "server", masks }))),
    );
    socket.once("error", reject);
  });
}

/** With what its owner does for it: it reads once somebody listens, and tells when nothing comes any more. */
class Piped extends ByteTransport {
  readonly #wire: Socket;

  constructor(wire: Socket) {
    const write = (bytes: Uint8Array) =>
      new Promise<void>((resolve, reject) => {
        wire.write(bytes, (error) => (error ? reject(error) : resolve()));
      });
    super({ write, close: () => void wire.end() });
    this.#wire = wire.on("error", () => {});
  }

  override start(events: TransportEvents): void {
    super.start(events);
    this.#wire.on("data", (bytes) => this.receive(bytes)).on("close", () => this.end(LOST));
  }
}

async function pipes(): Promise<Pair> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const arrived = once(server, "connection") as Promise<[Socket]>;
  const wire = connectPlain((server.address() as AddressInfo).port, "127.0.0.1");
  const [other] = await arrived;
  const close = () => {
    wire.destroy();
    server.close();
  };
  return { near: new Piped(wire), far: new Piped(other), stall: other, cut: () => void other.destroy(), close };
}

async function inMemory(): Promise<Pair> {
  const pair = transportPair();
  return { near: pair.a, far: pair.b, cut: () => pair.cut(), close() {} };
}

const bounded = ({ code, reason }: CloseInfo) => ({ code, reason: reason.replace("🚢", "") });

const RIGS: Rig[] = [
  { name: "a WebSocket of Node's", open: () => webSockets("node"), heard: bounded },
  { name: "one that masks", open: () => webSockets("masking node"), heard: bounded },
  { name: "one over TLS", open: () => webSockets("node", true), heard: bounded },
  {
    name: "a page's WebSocket",
    open: () => webSockets("page"),
    heard: ({ code, reason }) => bounded({ code: code === 1000 || code >= 3000 ? code : 3000 + code, reason }),
  },
  { name: "two streams of bytes", open: pipes, heard: () => LOST },
  { name: "the tests' own", open: inMemory },
];

/** What an end hears. */
function listen(transport: Transport) {
  const heard = { messages: [] as string[], bytes: 0, ends: [] as CloseInfo[], late: 0, drain: () => {} };
  transport.start({
    message(bytes) {
      if (heard.ends.length > 0) heard.late += 1;
      heard.bytes += bytes.length;
      heard.messages.push(Buffer.from(bytes.subarray(0, 16)).toString("hex"));
    },
    drain: () => heard.drain(),
    close: (info) => void heard.ends.push(info),
  });
  return heard;
}

/** Messages of these lengths, sent at once; how each begins. */
function send(transport: Transport, lengths: number[]): string[] {
  return lengths.map((length) => {
    const message = randomBytes(length);
    transport.send(message);
    return message.toString("hex", 0, 16);
  });
}

for (const { name, open, heard: heardOf = (said: CloseInfo) => said } of RIGS)
  suite(`a transport: ${name}`, () => {
    const LENGTHS = [1, 125, 126, 4_096, 65_535, 65_536, 131_077, 7];

    test("brings whole messages in their order, also those from before the start", async (t) => {
      const { near, far, close } = await open();
      t.after(close);
      const said = [send(near, LENGTHS), send(far, LENGTHS)];
      const heard = [listen(far), listen(near)];
      await until("the messages", () => heard.every(({ messages }) => messages.length === LENGTHS.length));
      assert.deepEqual([heard[0]?.messages, heard[1]?.messages], said);
    });

    test("tells how much has not left, and when that gets less", async (t) => {
      const { near, far, stall, close } = await open();
      t.after(close);
      const [own, other] = [listen(near), listen(far)];
      let sent = 0;
      own.drain = () => {
        for (; sent < MOST && near.buffered < PIECE; sent += PIECE) near.send(new Uint8Array(PIECE));
      };
      stall?.pause();
      own.drain();
      const stalled = await settled(() => sent);
      if (stall) assert.ok(stalled < MOST && near.buffered > 0, `${stalled} bytes went to nobody`);
      stall?.resume();
      await until("all of it", () => other.bytes === MOST);
      await until("nothing that waits", () => near.buffered === 0);
    });

    for (const code of [CLOSE.normal, CLOSE.goingAway, CLOSE.protocol, CLOSE.dead])
      test(`tells both ends of a goodbye with ${code}, once and last`, async (t) => {
        const { near, far, close } = await open();
        t.after(close);
        const [own, other] = [listen(near), listen(far)];
        const said = send(near, LENGTHS);
        near.close(code, LONG);
        near.close(CLOSE.internal, "once more");
        await until("both ends", () => own.ends.length > 0 && other.ends.length > 0);
        near.send(new Uint8Array(1));
        assert.deepEqual(other.messages, said);
        assert.deepEqual(other.ends, [heardOf({ code, reason: LONG })]);
        assert.deepEqual([own.ends.length, other.late], [1, 0]);
      });

    test("tells both ends of a network that is gone", async (t) => {
      const { near, far, cut, close } = await open();
      t.after(close);
      const ends = [listen(near), listen(far)];
      cut();
      await until("both ends", () => ends.every((end) => end.ends.length > 0));
      assert.deepEqual(
        ends.map((end) => end.ends.map(({ code }) => code)),
        [[CLOSE.cut], [CLOSE.cut]],
      );
    });
  });
