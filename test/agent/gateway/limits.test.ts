import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { connect, type Socket } from "node:net";
import { suite, test } from "node:test";
import { WebSocket } from "ws";
import { Networks } from "../../../src/door/address.ts";
import { ConnectionBudget } from "../../../src/door/budget.ts";
import { LIMITS } from "../../../src/door/options.ts";
import { bearer, closed, code, converse, openSocket, requestText, startFront } from "../../support/front.ts";

const QUICK = { headersMs: 1_000, requestMs: 1_500, checkMs: 100, keepAliveMs: 200 };

/** As much of a socket as the budget looks at. */
class Peer extends EventEmitter {
  static #ports = 0;
  readonly remoteAddress: string;
  readonly remotePort = ++Peer.#ports;
  destroyed = false;
  constructor(address: string) {
    super();
    this.remoteAddress = address;
  }
  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

function arrivals(options: { random?: number; proxies?: string[] } = {}) {
  const budget = new ConnectionBudget(LIMITS, new Networks(options.proxies ?? []), () => options.random ?? 0.999);
  const arrive = (address: string) => {
    const peer = new Peer(address);
    budget.arrived(peer as unknown as Socket);
    return peer;
  };
  return { budget, arrive };
}

suite("the budget for strangers", () => {
  test("gives one source ten connections", () => {
    const { arrive } = arrivals();
    const peers = Array.from({ length: 11 }, () => arrive("203.0.113.7"));
    assert.deepEqual(
      peers.map((peer) => peer.destroyed),
      [...Array.from({ length: 10 }, () => false), true],
    );
    peers[0]?.destroy();
    assert.equal(arrive("203.0.113.7").destroyed, false, "one that ended makes room");
  });

  test("counts a whole /64 network as one source", () => {
    const { arrive } = arrivals();
    for (let i = 0; i < 10; i++) assert.equal(arrive(`2001:db8::${i + 1}`).destroyed, false);
    assert.equal(arrive("2001:db8::99").destroyed, true);
    assert.equal(arrive("2001:db8:0:1::1").destroyed, false);
  });

  test("drops none below ten, three in ten from there, and all from its bound on", () => {
    const { arrive: unlucky } = arrivals({ random: 0.29 });
    const dropped = Array.from({ length: 20 }, (_, i) => unlucky(`203.0.113.${i}`).destroyed);
    assert.deepEqual(
      dropped,
      Array.from({ length: 20 }, (_, i) => i >= 10),
    );
    const { arrive: lucky } = arrivals({ random: 0.999 });
    const { full } = LIMITS.unauthenticated;
    const later = Array.from({ length: full + 20 }, (_, i) => lucky(`203.0.${i >> 8}.${i & 255}`).destroyed);
    assert.equal(later.indexOf(true), full);
    assert.ok(later.slice(full).every((gone) => gone));
  });

  test("forgets a connection on which somebody proved who he is", () => {
    const { budget, arrive } = arrivals();
    for (let i = 0; i < 30; i++) {
      const peer = arrive("203.0.113.7");
      assert.equal(peer.destroyed, false);
      budget.authenticated(peer as unknown as Socket);
    }
    assert.equal(budget.waiting, 0);
  });

  test("lets the newest from this machine in and the oldest go, so that nobody there can keep another out", () => {
    const { full } = LIMITS.unauthenticated;
    const { budget, arrive } = arrivals({ random: 0 });
    const peers = Array.from({ length: full + 5 }, () => arrive("127.0.0.1"));
    assert.deepEqual(peers.map((peer) => peer.destroyed).lastIndexOf(true), 4);
    assert.equal(budget.waiting, full);
    assert.equal(arrive("203.0.113.7").destroyed, false, "and they do not count among the strangers from outside");
  });

  test("does the same for a trusted proxy, which stands for many", () => {
    const { full } = LIMITS.unauthenticated;
    const { budget, arrive } = arrivals({ proxies: ["10.0.0.1"] });
    const peers = Array.from({ length: full + 5 }, () => arrive("10.0.0.1"));
    assert.deepEqual(peers.map((peer) => peer.destroyed).lastIndexOf(true), 4);
    assert.equal(arrive("127.0.0.1").destroyed, false);
    assert.equal(budget.waiting, full + 1, "this machine has room of its own");
  });
});

suite("a connection that does not get on", () => {
  test("is closed in time, a thousand of them too, while others are served", async () => {
    await using front = await startFront({ config: { limits: QUICK } });
    const watch = connect(front.port, "127.0.0.1");
    watch.write(requestText(front.host, { path: "/api/v1/containers?watch=1", headers: [bearer(front.admin)] }));
    await once(watch, "data");
    const socket = await openSocket(front);
    const silent = Array.from({ length: 1_000 }, () => connect(front.port, "127.0.0.1"));
    for (const socket of silent) socket.on("error", () => undefined).resume();
    const ends = silent.map((socket) => closed(socket, 6_000));
    const answer = await front.ask({ path: "/api/v1/containers", headers: [bearer(front.admin)] });
    assert.equal(answer.status, 200);
    await Promise.all(ends);
    const { body } = await front.ask({ path: "/metrics", headers: [bearer(front.admin)] });
    assert.match(body, /fairlead_http_unauthenticated_connections 0\n/);
    assert.deepEqual([watch.readyState, socket.readyState], ["open", WebSocket.OPEN], "these have credentials");
    watch.destroy();
    socket.terminate();
  });

  test("is told why when its headers or its body trickle", async () => {
    await using front = await startFront({ config: { limits: QUICK } });
    const slow = [
      `GET /healthz HTTP/1.1\r\nHost: ${front.host}\r\nX-Slow:`,
      `POST /api/v1/sign-in HTTP/1.1\r\nHost: ${front.host}\r\nOrigin: ${front.url}\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{`,
    ];
    for (const text of slow) {
      const answer = await converse(front.port, text);
      assert.deepEqual([answer.status, code(answer)], [400, "bad-request"]);
      assert.match(answer.body, /did not arrive in time/);
    }
  });

  test("is not kept when it has nothing more to ask", async () => {
    await using front = await startFront({ config: { limits: QUICK } });
    const text = requestText(front.host, { path: "/healthz", headers: ["Connection: keep-alive"] });
    assert.equal((await converse(front.port, text)).status, 200);
  });
});

suite("a WebSocket", () => {
  /** A client's frame with a mask of zeros. */
  const frame = (opcode: number, payload: Buffer) => {
    const size = Buffer.from([payload.length < 126 ? payload.length | 0x80 : 0xff]);
    const long = Buffer.alloc(payload.length < 126 ? 0 : 8);
    if (long.length > 0) long.writeBigUInt64BE(BigInt(payload.length));
    return Buffer.concat([Buffer.from([opcode]), size, long, Buffer.alloc(4), payload]);
  };
  /** Writes to the bare socket below the WebSocket and tells with which code the server closed. */
  const provoke = async (bytes: Buffer): Promise<number> => {
    await using front = await startFront();
    const socket = await openSocket(front);
    const end = once(socket, "close", { signal: AbortSignal.timeout(8_000) });
    const { _socket: bare } = socket as unknown as { _socket: Socket };
    bare.write(bytes);
    const [status] = (await end) as [number];
    return status;
  };

  test("never compresses", async () => {
    await using front = await startFront();
    const socket = await openSocket(front);
    assert.equal(socket.extensions, "");
    socket.terminate();
  });

  test("ends when a message is larger than a mebibyte", async () => {
    assert.equal(await provoke(frame(0x82, Buffer.alloc(1_048_577))), 1009);
  });

  test("ends when a message comes in more than 64 pieces, empty ones too", async () => {
    for (const piece of [Buffer.alloc(1), Buffer.alloc(0)]) {
      const pieces = Array.from({ length: 1_000 }, (_, i) => frame(i === 0 ? 0x02 : 0x00, piece));
      assert.ok([1008, 1009].includes(await provoke(Buffer.concat(pieces))));
    }
  });

  test("ends when its bytes are no frames", async () => {
    for (const garbage of ["82", "f280", "8f80", "8280"]) {
      const status = await provoke(Buffer.concat([Buffer.from(garbage, "hex"), Buffer.alloc(200, 0xff)]));
      assert.ok([1002, 1006, 1007, 1009].includes(status), `${garbage}: ${status}`);
    }
  });

  test("is closed with words when the agent stops, even if its client does not answer", async () => {
    await using front = await startFront();
    const [polite, deaf] = [await openSocket(front), await openSocket(front)];
    const { _socket: bare } = deaf as unknown as { _socket: Socket };
    bare.pause();
    const end = once(polite, "close", { signal: AbortSignal.timeout(5_000) });
    await front.gateway.close();
    assert.deepEqual([(await end)[0]], [1001]);
    deaf.terminate();
  });
});
