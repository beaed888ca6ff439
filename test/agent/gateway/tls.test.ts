import assert from "node:assert/strict";
import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { text } from "node:stream/consumers";
import { after, before, suite, test } from "node:test";
import { connect as connectSecurely, type ConnectionOptions, type TLSSocket } from "node:tls";
import { certificate, pinOf, type TestCertificate } from "../../support/certificate.ts";
import { until } from "../../support/until.ts";
import { bearer, closed, type Front, requestText, startFront } from "../../support/front.ts";

/** Milliseconds for a handshake, and what a test adds to that before it gives up. */
const [HANDSHAKE_MS, PATIENCE_MS] = [600, 4_000];
const PACE = { rate: 10_000, waiting: 10_000 };
const LIMITS = {
  handshakeMs: HANDSHAKE_MS,
  headersMs: 1_000,
  requestMs: 1_500,
  checkMs: 50,
  keepAliveMs: 10_000,
  pace: PACE,
};

let tls: TestCertificate;
let other: TestCertificate;
let front: Front;

before(async () => {
  [tls, other] = await Promise.all([certificate(), certificate()]);
  front = await startFront({ config: { tls, limits: LIMITS } });
});
after(() => front[Symbol.asyncDispose]());

/** Trusts whoever answers: these tests are about the server. */
async function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectSecurely({ port: front.port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  await once(socket, "secureConnect", { signal: AbortSignal.timeout(PATIENCE_MS) });
  return socket;
}

/** The answer to one more request on a connection that stays open. */
async function ask(socket: Socket, path = "/api/v1/whoami"): Promise<string> {
  const headers = [bearer(front.admin), "Connection: keep-alive"];
  socket.write(requestText(front.host, { path, headers }));
  const [bytes] = (await once(socket, "data", { signal: AbortSignal.timeout(PATIENCE_MS) })) as [Buffer];
  return bytes.toString();
}

function rawSocket(): Socket {
  const socket = connect(front.port, "127.0.0.1").resume();
  return socket.on("error", () => undefined);
}

async function strangers(): Promise<number> {
  const socket = await handshake();
  const text = await ask(socket, "/metrics");
  socket.destroy();
  return Number(/fairlead_http_unauthenticated_connections (\d+)/.exec(text)?.[1]);
}

suite("the listener with TLS", () => {
  test("gives a new certificate to new connections, and open ones go on", async () => {
    const early = await handshake();
    assert.match(await ask(early), /^HTTP\/1\.1 200 /);
    front.gateway.replaceCertificate(other);
    const late = await handshake();
    assert.equal(pinOf(pem(late)), other.pin);
    assert.equal(pinOf(pem(early)), tls.pin);
    for (const socket of [early, late]) {
      assert.match(await ask(socket), /^HTTP\/1\.1 200 /);
      socket.destroy();
    }
    assert.throws(() => front.gateway.replaceCertificate({ cert: tls.cert, key: other.key }), /key values mismatch/);
    const after = await handshake();
    assert.equal(pinOf(pem(after)), other.pin, "a pair that does not fit changes nothing");
    after.destroy();
    front.gateway.replaceCertificate(tls);
  });

  test("does the same at every address of a name", async () => {
    await using named = await startFront({ config: { listenAddress: "localhost", tls } });
    named.gateway.replaceCertificate(other);
    for (const { address: host } of await lookup("localhost", { all: true })) {
      const socket = connectSecurely({ port: named.port, host, rejectUnauthorized: false });
      await once(socket, "secureConnect", { signal: AbortSignal.timeout(PATIENCE_MS) });
      assert.equal(pinOf(pem(socket)), other.pin, host);
      socket.destroy();
    }
  });

  test("needs no TLS at the socket file, which only this user can open, and wants the same proofs there", async () => {
    const directory = await mkdtemp(join(tmpdir(), "fl-tls-local-"));
    const path = join(directory, "agent.sock");
    await using local = await startFront({ config: { tls, localSocket: path } });
    assert.equal((await stat(path)).mode & 0o777, 0o600);
    const answer = async (headers: string[]) => {
      const socket = connect(path);
      socket.write(requestText(local.host, { path: "/api/v1/whoami", headers }));
      return (await text(socket)).split(" ")[1];
    };
    assert.equal(await answer([bearer(local.admin)]), "200");
    assert.equal(await answer([]), "401");
    assert.equal(await answer([bearer("x".repeat(43))]), "401");
    await rm(directory, { recursive: true });
  });

  test("speaks TLS 1.2 and newer only", async () => {
    for (const version of ["TLSv1.2", "TLSv1.3"] as const) {
      const socket = await handshake({ minVersion: version, maxVersion: version });
      assert.equal(socket.getProtocol(), version);
      socket.destroy();
    }
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" } as const;
    await assert.rejects(handshake(old), { code: "ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION" });
  });

  test("cuts peers that are silent, slow or talk nonsense in the handshake, and harms nobody else", async () => {
    const neighbour = await handshake();
    const hello = await clientHello();
    const peers = Array.from({ length: 120 }, () => rawSocket());
    peers.forEach((socket, i) => {
      if (i % 4 === 1) socket.write(hello.subarray(0, 100));
      if (i % 4 === 2) trickle(socket, hello);
      if (i % 4 === 3) socket.write(hello);
    });
    const nonsense = [
      "GET / HTTP/1.1\r\n\r\n",
      "\0".repeat(64),
      "\x16\x03\x01\x40\x00".repeat(400),
      "\x15\x03\x01\0\x02\x02\x28",
    ];
    const noisy = nonsense.map((text) => {
      const socket = rawSocket();
      socket.write(text, "latin1");
      return socket;
    });
    await Promise.all(noisy.map((socket) => closed(socket, PATIENCE_MS)));
    assert.match(await ask(neighbour), /^HTTP\/1\.1 200 /);
    const more = await handshake();
    assert.match(await ask(more), /^HTTP\/1\.1 200 /);
    await Promise.all(peers.map((socket) => closed(socket, HANDSHAKE_MS + PATIENCE_MS)));
    assert.match(await ask(neighbour), /^HTTP\/1\.1 200 /);
    for (const socket of [neighbour, more]) socket.destroy();
  });

  test("closes a connection that got through the handshake and then says nothing", async () => {
    const socket = (await handshake()).resume();
    await closed(socket, PATIENCE_MS);
  });

  test("keeps nothing of connections that break off in the handshake", async () => {
    const hello = await clientHello();
    for (let round = 0; round < 10; round++) {
      const peers = Array.from({ length: 30 }, () => rawSocket());
      await Promise.all(
        peers.map(async (socket, i) => {
          await once(socket, "connect");
          socket.write(i % 2 ? hello : hello.subarray(0, 50), () => socket.resetAndDestroy());
          await closed(socket);
        }),
      );
    }
    // The one that asks may count itself.
    await until("none of them being counted", async () => (await strangers()) <= 1, { patience: PATIENCE_MS });
  });
});

function pem(socket: TLSSocket): string {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) throw new Error("no certificate was shown");
  return certificate.toString();
}

/** The first bytes that a client sends. */
function clientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const wire = new Duplex({ read: () => {}, write: (bytes: Buffer) => resolve(bytes) });
    connectSecurely({ socket: wire }).on("error", () => undefined);
  });
}

/** A byte at a time, for as long as the other side listens. */
function trickle(socket: Socket, bytes: Buffer): void {
  let at = 0;
  const timer = setInterval(() => socket.write(bytes.subarray(at, ++at)), HANDSHAKE_MS / 10);
  socket.once("close", () => clearInterval(timer));
}
