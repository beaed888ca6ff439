/** A server that sends what none may: it ends the line, and nothing else of the agent. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { suite, test } from "node:test";
import { dialServer } from "../../../src/agent/uplink/dial.ts";
import { Realtime } from "../../../src/agent/uplink/realtime.ts";
import { newKey } from "../../../src/auth/keys.ts";
import { Budget } from "../../../src/mux/budget.ts";
import { CLOSE } from "../../../src/mux/errors.ts";
import { SUBPROTOCOL } from "../../../src/protocol/version.ts";
import { until } from "../../support/until.ts";

/** Shorter than in earnest, in milliseconds. */
const RETRY = { first: 10, max: 20 };
/** What an agent may close such a line with: `ws` says 1008 of too many pieces. */
const COMPLAINTS: number[] = [CLOSE.protocol, CLOSE.tooLarge, 1_008];
/** RFC 6455, section 1.3. */
const WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

const FRAMES: [name: string, bytes: number[]][] = [
  ["a frame that announces 2^63 bytes (CVE-2026-1528)", [0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0]],
  ["a frame that announces 2^53 bytes (CVE-2026-1528)", [0x82, 0x7f, 0, 0x20, 0, 0, 0, 0, 0, 0]],
  ["a frame longer than any message of ours", [0x82, 0x7f, 0, 0, 0, 0, 0, 0x20, 0, 0]],
  ["a compressed frame that nobody agreed on (CVE-2026-1526)", [0xc2, 0x01, 0x00]],
  ["a ping of 126 bytes", [0x89, 0x7e, 0x00, 0x7e]],
  ["an unknown opcode", [0x83, 0x00]],
  ["a continuation of nothing", [0x80, 0x00]],
  [
    "a message of a thousand pieces",
    [0x02, 0x01, 0x00, ...Array.from({ length: 1_000 }, () => [0x00, 0x01, 0x00]).flat()],
  ],
  ["a text message", [0x81, 0x01, 0x61]],
  ["half a frame of the multiplexer", [0x82, 0x02, 0x00, 0x00]],
];

suite("a hostile server", () => {
  for (const [name, bytes] of FRAMES)
    test(`with ${name} loses the line, and is dialled again`, async () => {
      using server = await saying(Buffer.from(bytes));
      const key = newKey();
      const line = new Realtime({
        dial: dialServer({
          server: { url: server.url, pin: undefined },
          signer: () => ({ keyName: "box/1/2", key, epoch: 1 }),
        }),
        accept: (channel) => channel.close(CLOSE.internal, "not here"),
        onState: () => undefined,
        budget: new Budget(1_000_000),
        software: "test",
        retry: RETRY,
      });
      line.start();
      await until("three lines, each closed by the agent", () => server.closed.length >= 3);
      await line.close();
      const [first, second, third] = server.closed;
      for (const code of [first, second, third]) assert.ok(COMPLAINTS.includes(code ?? 0), `closed with ${code}`);
    });
});

/** Of the close frame in what an agent said, whose mask is zeros. */
function closeCode(said: Buffer): number | undefined {
  for (let at = said.indexOf(0x88); at >= 0; at = said.indexOf(0x88, at + 1))
    if (said.length >= at + 8 && said.readUInt32BE(at + 2) === 0) return said.readUInt16BE(at + 6);
  return undefined;
}

/** Agrees to every WebSocket, says these bytes on it and notes with what code each is closed. */
async function saying(bytes: Buffer) {
  const sockets: Duplex[] = [];
  const closed: number[] = [];
  const server = createServer().listen(0, "127.0.0.1");
  server.on("connection", (socket) => sockets.push(socket));
  server.on("upgrade", (request, socket) => {
    const accept = createHash("sha1").update(`${request.headers["sec-websocket-key"]}${WEBSOCKET}`).digest("base64");
    const head = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
    const lines = [...head, `Sec-WebSocket-Accept: ${accept}`, `Sec-WebSocket-Protocol: ${SUBPROTOCOL}`, "", ""];
    let heard = Buffer.alloc(0);
    socket
      .on("error", () => undefined)
      .on("data", (chunk: Buffer) => {
        heard = Buffer.concat([heard, chunk]);
        const code = closeCode(heard);
        if (code === undefined) return;
        closed.push(code);
        socket.end();
      });
    socket.write(Buffer.concat([Buffer.from(lines.join("\r\n")), bytes]));
  });
  await once(server, "listening");
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    closed,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
