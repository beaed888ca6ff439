/** dial: TCP connections to a container's ports. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { settled, until } from "../../support/until.ts";
import type { Rig } from "../rig.ts";

const SERVER = fileURLToPath(new URL("../port-server.ts", import.meta.url));
const MIB = 1024 * 1024;
/** More than all buffers on the way hold. */
const FLOOD = 96 * MIB;
/** Where port-server.ts listens: its ports on loopback are ten higher. */
const ECHO = 7000;
const GREETING = 7001;
const LOOPBACK_ECHO = 7010;
const LOOPBACK_GREETING = 7011;
const IPV6_ECHO = 7020;
const RESETTING = 7002;
const LOOPBACK_RESETTING = 7012;
/** Tells how the last connection to an echo ended that did not end well. */
const TELLING = 7003;
const CLOSED = 7999;
/** The engine switches IPv6 off inside containers, unless told otherwise. */
const WITH_IPV6 = ["--sysctl", "net.ipv6.conf.all.disable_ipv6=0"];

export function dialContract(rig: Rig): void {
  const { signal } = rig;
  const servers: ChildProcess[] = [];
  /** A Node server inside the container's network, as a service in it would be. */
  const serve = async (id: string) => {
    const [file, ...words] = await rig.inside(id);
    const server = spawn(file, [...words, SERVER, id], { stdio: ["pipe", "pipe", "inherit"] });
    servers.push(server);
    await Promise.race([once(server.stdout, "data"), once(server, "exit").then(() => assert.fail("no server"))]);
    return id;
  };
  after(() => {
    for (const server of servers) server.kill("SIGKILL");
  });
  let shared: Promise<string> | undefined;
  const home = () => (shared ??= rig.container({ args: WITH_IPV6 }).then(serve));
  const dial = async (port: number) => rig.runtime.dial(await home(), port, signal);

  for (const [where, port] of [
    ["the container's address", ECHO],
    ["its loopback", LOOPBACK_ECHO],
    ["its IPv6 loopback", IPV6_ECHO],
  ] as const) {
    rig.verb("dial", `carries bytes both ways to a port on ${where}, each direction ending alone`, async () => {
      const socket = await dial(port);
      const bytes = randomBytes(2 * MIB);
      socket.end(bytes);
      const hash = (data: Buffer) => createHash("sha256").update(data).digest("hex");
      assert.equal(hash(await drain(socket)), hash(bytes));
      socket.destroy();
    });
  }

  for (const [where, port] of [
    ["the container's address", GREETING],
    ["its loopback", LOOPBACK_GREETING],
  ] as const) {
    rig.verb(
      "dial",
      `loses nothing of what a server on ${where} says first, and can still write after its end`,
      async () => {
        for (let round = 0; round < 20; round++) {
          const socket = await dial(port);
          assert.equal((await drain(socket)).toString(), await home());
          await new Promise(setImmediate);
          assert.equal(socket.writableEnded, false);
          await new Promise<void>((resolve, reject) =>
            socket.write("still", (error) => (error ? reject(error) : resolve())),
          );
          socket.destroy();
        }
      },
    );
  }

  rig.verb("dial", "stops a writer when nobody reads, without a loss, and harms nobody else", async () => {
    for (const port of [ECHO, LOOPBACK_ECHO]) {
      const socket = await dial(port);
      let taken = 0;
      const sent = createHash("sha256");
      const writing = (async () => {
        for (; taken < FLOOD; taken += MIB) {
          const piece = randomBytes(MIB);
          sent.update(piece);
          if (!socket.write(piece)) await once(socket, "drain");
        }
        socket.end();
      })();
      assert.ok((await settled(() => taken)) < FLOOD / 2, `${taken} bytes were taken`);
      const other = await dial(port);
      other.end("hello");
      assert.equal((await drain(other)).toString(), "hello");
      const received = createHash("sha256");
      for await (const piece of socket) received.update(piece as Buffer);
      await writing;
      assert.equal(received.digest("hex"), sent.digest("hex"));
    }
  });

  rig.verb("dial", "passes on a reset, of the service and of its caller", async () => {
    for (const port of [RESETTING, LOOPBACK_RESETTING]) {
      const socket = await dial(port);
      socket.write("hello");
      await assert.rejects(drain(socket), { code: "ECONNRESET" });
    }
    for (const port of [ECHO, LOOPBACK_ECHO]) {
      const socket = (await dial(port)) as Socket;
      socket.write(String(port));
      await once(socket, "data");
      socket.resetAndDestroy();
      const told = () => dial(TELLING).then(drain);
      await until("the reset", async () => (await told()).toString() === `${port} ECONNRESET`);
    }
  });

  rig.verb("dial", "opens hundreds of connections at the same time", async () => {
    const sockets = await Promise.all(
      Array.from({ length: 300 }, (_, index) => dial(index % 2 ? ECHO : LOOPBACK_ECHO)),
    );
    const answers = await Promise.all(
      sockets.map((socket, index) => {
        socket.end(String(index));
        return drain(socket);
      }),
    );
    assert.deepEqual(answers.map(Number), [...answers.keys()]);
    for (const socket of sockets) socket.destroy();
  });

  rig.verb("dial", "says dial-refused where nothing listens", async () => {
    await assert.rejects(dial(CLOSED), { code: "dial-refused", message: /7999/ });
  });

  rig.verb("dial", "refuses what is no port", async () => {
    for (const port of [0, -1, 65_536, 80.5, Number.NaN]) await assert.rejects(dial(port), { code: "invalid" });
  });

  rig.verb("dial", "refuses containers that are unknown or stopped", async () => {
    await assert.rejects(rig.runtime.dial("0".repeat(64), ECHO, signal), { code: "not-found" });
    const id = await rig.container({ command: ["true"] });
    await rig.engine.docker("wait", id);
    await assert.rejects(rig.runtime.dial(id, ECHO, signal), { code: "not-running" });
  });

  rig.verb("dial", "never reaches the host through a container in the host's network", async () => {
    const bait = createServer((socket) => socket.end("the host"));
    await new Promise<void>((resolve) => bait.listen(0, resolve));
    const { port } = bait.address() as { port: number };
    const id = await rig.container({ args: ["--network", "host"] });
    const sharing = await rig.container({ args: ["--network", `container:${id}`] });
    try {
      for (const container of [id, sharing]) {
        await assert.rejects(rig.runtime.dial(container, port, signal), { code: "unsupported" });
      }
    } finally {
      bait.close();
    }
  });

  rig.verb("dial", "reaches a container without any network, and one in another's", async () => {
    const alone = await rig.container({ args: ["--network", "none", ...WITH_IPV6] }).then(serve);
    const guest = await rig.container({ args: ["--network", `container:${alone}`] });
    for (const id of [alone, guest]) {
      const socket = await rig.runtime.dial(id, ECHO, signal);
      socket.end("hello");
      assert.equal((await drain(socket)).toString(), "hello");
      socket.destroy();
    }
  });

  const greeting = async (id: string, port: number) => {
    const socket = await rig.runtime.dial(id, port, signal);
    const text = (await drain(socket)).toString();
    socket.destroy();
    return text;
  };

  rig.verb("dial", "finds a container again after it was restarted", async () => {
    const id = await rig.container({ args: WITH_IPV6 }).then(serve);
    for (const port of [GREETING, LOOPBACK_GREETING]) assert.equal(await greeting(id, port), id);
    await rig.engine.docker("restart", id);
    await serve(id);
    for (const port of [GREETING, LOOPBACK_GREETING]) assert.equal(await greeting(id, port), id);
  });

  rig.verb("dial", "follows a container to another address and never reaches who has the old one", async () => {
    const network = `contract-${crypto.randomUUID().slice(0, 8)}`;
    const subnet = `10.${200 + (process.pid % 50)}.77`;
    await rig.engine.docker("network", "create", "--subnet", `${subnet}.0/24`, network);
    const at = (host: number) => ["--network", network, "--ip", `${subnet}.${host}`, ...WITH_IPV6];
    const id = await rig.container({ args: at(10) }).then(serve);
    const known = performance.now() + 500; // Whatever remembers places has had time to.
    while (performance.now() < known) assert.equal(await greeting(id, GREETING), id);
    await rig.engine.docker("network", "disconnect", network, id);
    const heir = await rig.container({ args: at(10) }).then(serve);
    await rig.engine.docker("network", "connect", "--ip", `${subnet}.11`, network, id);
    for (let round = 0; round < 10; round++) assert.equal(await greeting(id, GREETING), id);
    assert.equal(await greeting(heir, GREETING), heir);
    await rig.engine.docker("rm", "--force", id, heir);
    await rig.engine.docker("network", "rm", network);
  });

  rig.verb("dial", "gives up when told to", async () => {
    const id = await home();
    await assert.rejects(rig.runtime.dial(id, ECHO, AbortSignal.abort()), { name: "AbortError" });
  });
}

async function drain(socket: Duplex): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of socket.iterator({ destroyOnReturn: false })) pieces.push(piece);
  return Buffer.concat(pieces);
}
