import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  type AddressInfo,
  connect as connectPlain,
  createServer as createPlain,
  type Server,
  type Socket,
} from "node:net";
import { after, before, suite, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { connect, createServer } from "node:tls";
import { Intake } from "../../src/net/intake.ts";
import { certificate, type TestCertificate } from "../support/certificate.ts";

const MEBIBYTE = 1024 * 1024;
/** Bytes of one write, and so of one TLS record. */
const SIZES = [50, 5_000, 16_384];

let tls: TestCertificate;
const servers: Server[] = [];

before(async () => {
  tls = await certificate();
});
after(() => {
  for (const server of servers) server.close();
});

/** An intake from a server that does this with each connection. */
async function intakeFrom(kind: "TCP" | "TLS", serve: (socket: Socket) => void): Promise<Intake> {
  const server: Server = kind === "TLS" ? createServer(tls, serve) : createPlain(serve);
  servers.push(server.listen(0, "127.0.0.1"));
  await once(server, "listening");
  const target = { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
  const intake = new Intake({ collects: true });
  const options = { ...target, onread: intake.onread };
  intake.follow(
    kind === "TLS" ? connect({ ...options, ca: tls.cert, servername: "localhost" }) : connectPlain(options),
  );
  return intake;
}

for (const kind of ["TCP", "TLS"] as const)
  suite(`an intake from ${kind}`, () => {
    for (const size of SIZES)
      test(`gives every byte of writes of ${size}, and leaves a piece alone until the next is asked for`, async () => {
        const bytes = randomBytes(MEBIBYTE);
        const intake = await intakeFrom(kind, (socket) => {
          for (let at = 0; at < bytes.length; at += size) socket.write(bytes.subarray(at, at + size));
          socket.end();
        });
        const hash = createHash("sha256");
        for (let piece = await intake.next(); piece; piece = await intake.next()) {
          // More comes in now, and must not fall into this piece.
          await setImmediate();
          hash.update(piece);
        }
        assert.equal(hash.digest("hex"), createHash("sha256").update(bytes).digest("hex"));
      });

    test("holds little while nobody asks", async () => {
      let sent = 0;
      const chunk = Buffer.alloc(65_536);
      let stalled: () => void = () => {};
      const full = new Promise<void>((resolve) => {
        stalled = resolve;
      });
      const intake = await intakeFrom(kind, (socket) => {
        socket.on("error", () => {});
        const pump = () => {
          while (socket.write(chunk)) sent += chunk.length;
          sent += chunk.length;
          const timer = setTimeout(stalled, 300);
          socket.once("drain", () => {
            clearTimeout(timer);
            pump();
          });
        };
        pump();
      });
      await intake.next();
      await full;
      assert.ok(sent < 16 * MEBIBYTE, `${sent} bytes were taken`);
      intake.destroy();
    });
  });
