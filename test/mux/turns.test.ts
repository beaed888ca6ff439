/** Of a connection that carries several channels only so much is read at one go. */

import assert from "node:assert/strict";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { WebSocket, WebSocketServer } from "ws";
import { Budget } from "../../src/mux/budget.ts";
import type { Channel } from "../../src/mux/channel.ts";
import { HEADER_BYTES } from "../../src/mux/frame.ts";
import { Mux } from "../../src/mux/mux.ts";
import { SocketTransport } from "../../src/net/socket-transport.ts";
import { transportPair } from "../support/transport-pair.ts";

const NOTHING = new Uint8Array(0);
const MIB = 1_048_576;
const PIECE = 16_384;
const SILENT = { message() {}, credit() {}, ack() {}, reply() {}, close() {} };

/** A dialler and a listener that reads everything at once; `rests` counts how often the listener wants a rest. */
async function scene() {
  const { a, b } = transportPair();
  let rests = 0;
  const counted = { ...b, rest: () => void (rests += 1) };
  const common = { software: "test", budget: new Budget(0) };
  const accept = (channel: Channel) =>
    channel.start({ ...SILENT, message: (bytes) => void channel.consumed(bytes.length) });
  const listener = new Mux(counted, { role: "listener", ...common, accept });
  const dialler = new Mux(a, { role: "dialler", ...common });
  await turn();
  const open = () => {
    const channel = dialler.open({ header: NOTHING, body: NOTHING });
    channel.start(SILENT);
    return async (bytes: number) => {
      for (let left = bytes; left > 0; left -= PIECE) {
        channel.post(new Uint8Array(HEADER_BYTES + Math.min(left, PIECE)));
        await turn();
      }
    };
  };
  return { open, rests: () => rests, [Symbol.dispose]: () => listener.close(1000, "done") };
}

test("a channel that is alone is read without a rest", async () => {
  using it = await scene();
  await it.open()(MIB);
  assert.equal(it.rests(), 0);
});

test("while another channel is used, there is a rest after each 64 KiB", async () => {
  using it = await scene();
  const [bulk, keys] = [it.open(), it.open()];
  await bulk(PIECE);
  await keys(1);
  await bulk(MIB);
  assert.ok(Math.abs(it.rests() - 16) <= 1, `${it.rests()} rests`);
});

test("a WebSocket that rests brings no more than what it has read already before all others had their turn", async (t) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  t.after(() => server.close());
  await once(server, "listening");
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  t.after(() => client.terminate());
  const upgraded = once(client, "upgrade") as Promise<[IncomingMessage]>;
  const [[far], [{ socket: wire }]] = (await Promise.all([once(server, "connection"), upgraded])) as [
    [WebSocket],
    [IncomingMessage],
  ];
  const transport = new SocketTransport({ socket: client, wire, peer: "server" });
  const seen = { total: 0, thisTurn: 0, most: 0 };
  transport.start({
    message(bytes) {
      seen.total += bytes.length;
      seen.thisTurn += bytes.length;
      seen.most = Math.max(seen.most, seen.thisTurn);
      transport.rest();
    },
    drain() {},
    close() {},
  });
  for (let i = 0; i < 256; i++) far.send(new Uint8Array(PIECE));
  while (seen.total < 256 * PIECE) {
    seen.thisTurn = 0;
    await turn();
  }
  assert.ok(seen.most <= MIB / 8, `${seen.most} bytes came in one turn`);
});
