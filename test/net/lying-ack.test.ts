/** Whoever acknowledges what has not reached him gets nobody else's bytes, harms nobody, and holds no memory beyond his share. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { after, before, suite, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { WebSocket, WebSocketServer } from "ws";
import { Budget } from "../../src/mux/budget.ts";
import { decodeFrame, encodeFrame } from "../../src/mux/frame.ts";
import { Mux } from "../../src/mux/mux.ts";
import { Sequence } from "../../src/mux/sequence.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import { until } from "../support/until.ts";

/** Everything that is sent to one, and to the other. */
const OWN = 0x41;
const OTHERS = 0x53;
const PACKETS = 3_000;
const NOTHING = new Uint8Array(0);

/** A client that says what it likes, of which the credit that it gives at once. */
class Peer {
  readonly socket: WebSocket;
  closed: string | undefined;

  static async connect(url: string): Promise<Peer> {
    const peer = new Peer(url);
    await once(peer.socket, "open");
    peer.say({ type: "hello", hello: { version: 1, min: 1, channels: 256, software: "test" } });
    return peer;
  }

  private constructor(url: string) {
    this.socket = new WebSocket(url, { perMessageDeflate: false, generateMask: (mask) => void mask.fill(0) });
    this.socket.on("error", (error) => (this.closed ??= error.message));
    this.socket.on("close", (code, reason) => (this.closed ??= `${code} ${String(reason)}`));
  }

  open(): void {
    this.say({ type: "open", channel: 1, header: NOTHING, body: NOTHING });
    this.say({ type: "credit", channel: 1, offset: 1e9 });
  }

  say(frame: Parameters<typeof encodeFrame>[0]): void {
    this.socket.send(encodeFrame(frame));
  }

  ack(offset: number): void {
    this.say({ type: "ack", channel: 1, offset });
  }
}

suite("a client that acknowledges what it has not read", () => {
  const budget = new Budget(64 * 1024 * 1024);
  const server = createServer();
  const sockets = new WebSocketServer({ noServer: true });
  const muxes: Mux[] = [];
  let url = "";
  /** What the next one is sent: how long each packet is, and of what. */
  let next = { size: 0, byte: 0 };
  /** Packets that were taken for the first one. */
  let taken = 0;

  before(async () => {
    server.on("upgrade", (request: IncomingMessage, wire: Socket, head: Buffer) =>
      sockets.handleUpgrade(request, wire, head, (socket) => {
        const { size, byte } = next;
        const mux = new Mux(new SocketTransport({ socket, wire, peer: "client" }), {
          role: "listener",
          software: "test",
          budget,
          accept: (channel) => {
            const sequence = new Sequence({ budget });
            sequence.attach(channel, 0);
            channel.reply(NOTHING);
            const all = async () => {
              for (let i = 0; i < PACKETS; i += 1) {
                await sequence.send(3, new Uint8Array(size).fill(byte));
                if (byte === OWN) taken += 1;
              }
            };
            all().catch(() => {});
          },
        });
        muxes.push(mux);
      }),
    );
    await once(server.listen(0, "127.0.0.1"), "listening");
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    for (const mux of muxes) mux.close(1000, "done");
    for (const client of sockets.clients) client.terminate();
    server.close();
  });

  for (const size of [13_000, 16_384])
    test(`sees nobody else's, and cuts nobody off, with packets of ${size} bytes`, async () => {
      taken = 0;
      next = { size, byte: OWN };
      const liar = await Peer.connect(url);
      let foreign = 0;
      liar.socket.on("message", (bytes: Buffer) => (foreign += bytes.subarray(6).filter((it) => it === OTHERS).length));
      liar.socket.pause();
      liar.open();
      for (let i = 0; i < 20; i += 1) {
        await wait(20);
        liar.ack(Math.max(0, taken - 4) * (size + 1));
      }
      next = { size: 16_384, byte: OTHERS };
      const honest = await Peer.connect(url);
      let got = 0;
      let wrong = 0;
      honest.socket.on("message", (bytes: Buffer) => {
        const frame = decodeFrame(bytes);
        if (frame.type !== "data") return;
        got += frame.message.length;
        if (frame.message.subarray(1).some((it) => it !== OTHERS)) wrong += 1;
        honest.ack(got);
      });
      honest.open();
      // For a moment it is slow, and so has something queued while the other one reads.
      honest.socket.pause();
      liar.socket.resume();
      await wait(300);
      honest.socket.resume();
      await until("everything", () => got >= PACKETS * 16_385 || honest.closed !== undefined);
      assert.deepEqual({ closed: honest.closed, wrong, got }, { closed: undefined, wrong: 0, got: PACKETS * 16_385 });
      assert.equal(foreign, 0);
      liar.socket.terminate();
      honest.socket.terminate();
    });

  test("is refused, when it has not even been sent", async () => {
    taken = 0;
    next = { size: 10_000, byte: OWN };
    const liar = await Peer.connect(url);
    liar.socket.pause();
    liar.open();
    for (let i = 0; i < 40 && !liar.closed; i += 1) {
      await wait(20);
      liar.ack(Math.max(0, taken - 4) * 10_001);
    }
    // What it had to be sent is bounded by its replay, and not by what it says.
    assert.ok(taken < PACKETS, `${taken} packets were taken for who reads nothing`);
    liar.socket.resume();
    assert.match(await until("its end", () => liar.closed), /ahead of what was sent/);
  });
});
