/** Agents and a server that comes with another certificate: the same one, restored or renewed, and somebody in between. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { connect as connectTls, createSecureContext, TLSSocket } from "node:tls";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startAgent, type TestAgent } from "../support/agent.ts";
import { certificate, type TestCertificate } from "../support/certificate.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { until } from "../support/until.ts";

const MAIN = fileURLToPath(new URL("../../src/server/main.ts", import.meta.url));
/** Nothing here asks an engine. */
const NO_ENGINE = { host: "unix:///nowhere/docker.sock" };

suite("a server with another certificate", () => {
  let server: TestServer;
  let agent: TestAgent;
  let flags: string[];
  let wire: Wire;
  let directory: string;
  let original: TestCertificate;

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "fl-succession-"));
    original = await certificate();
    await give(original);
    flags = ["--tls-cert", join(directory, "cert.pem"), "--tls-key", join(directory, "key.pem")];
    flags.push("--heartbeat-interval", "1s");
    server = await startServer({ flags });
    wire = await Wire.start(Number(new URL(server.url).port));
    const { token } = await server.atHome<{ token: string }>({
      method: "POST",
      path: "/api/v1/nodes",
      body: { name: "box" },
    });
    agent = await startAgent({ engine: NO_ENGINE, flags: ["-S", `https://127.0.0.1:${wire.port}`, "--token", token] });
    await believed();
  });

  after(async () => {
    await agent?.stop();
    await server?.stop();
    await wire?.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function give({ cert, key }: TestCertificate): Promise<void> {
    await writeFile(join(directory, "key.pem"), key, { mode: 0o600 });
    await writeFile(join(directory, "cert.pem"), cert);
  }

  /** The agent is there, and takes the server's word for who asks. */
  const believed = () =>
    until("an answer through the server", () =>
      server.atHome<{ kind: string }>({ path: "/api/v1/nodes/box/version" }).then(
        ({ kind }) => kind === "agent",
        () => false,
      ),
    );

  const identity = async () =>
    JSON.parse(await readFile(join(agent.stateDir, "identity.json"), "utf8")) as { pin: string };
  const uplink = async () =>
    ((await (await agent.fetch("/readyz")).json()) as { uplink: { state: string; detail?: string } }).uplink;

  test("that was renewed with another key is believed once it has proved that it is the same", async () => {
    const renewed = await certificate();
    await server.end();
    await give(renewed);
    server = await startServer({ flags, before: server });
    await believed();
    assert.deepEqual([(await identity()).pin, server.pin], [renewed.pin, renewed.pin]);
    assert.match(agent.log(), /the server has proved that its new certificate is its own/);
  });

  test("that was restored from a backup elsewhere, without its files, is believed too", async () => {
    const file = join(directory, "backup.db");
    await promisify(execFile)(process.execPath, [MAIN, "backup", file, "--data-dir", server.stateDir], {
      cwd: directory,
    });
    await server.end();
    const home = join(directory, "elsewhere");
    const stateDir = join(home, "state", "fairlead-server");
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    await copyFile(file, join(stateDir, "server.db"));
    const { pin: former } = await identity();
    const restored = ["--tls", "self-signed", "--heartbeat-interval", "1s"];
    server = await startServer({ flags: restored, before: { ...server, home } });
    await believed();
    const { pin } = await identity();
    assert.ok(pin !== former && pin === server.pin);
  });

  test("that is somebody in between gets no request that is signed, and is refused", async () => {
    const { pin } = await identity();
    wire.intercept(await certificate());
    const { detail } = await until("the refusal", async () => {
      const status = await uplink();
      return status.state === "refused" && status;
    });
    assert.match(detail ?? "", /does not prove that it is the same.*somebody is in between/);
    await until("its questions", () => wire.overheard.length > 1);
    for (const head of wire.overheard)
      assert.match(head, /^GET \/api\/v1\/agent\/server\?nonce=[\w-]{22} HTTP\/1\.1\r\n/);
    assert.ok(!/signature|authorization/i.test(wire.overheard.join("")));
    assert.equal((await identity()).pin, pin);
    wire.release();
    await believed();
  });
});

/** What lies between agent and server: it carries bytes, or pretends to be the server and passes on what it is told. */
class Wire {
  readonly port: number;
  /** The heads of requests that were told to the one in between. */
  readonly overheard: string[] = [];
  readonly #server: Server;
  readonly #target: number;
  readonly #sockets = new Set<Socket>();
  #pretence: TestCertificate | undefined;

  static async start(target: number): Promise<Wire> {
    const server = createServer();
    await once(server.listen(0, "127.0.0.1"), "listening");
    return new Wire(server, target);
  }

  constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    this.port = (server.address() as AddressInfo).port;
    server.on("connection", (socket: Socket) => this.#carry(socket));
  }

  /** Cuts what is open; from now on it pretends. */
  intercept(pretence: TestCertificate): void {
    this.#pretence = pretence;
    this.#cut();
  }

  release(): void {
    this.#pretence = undefined;
    this.#cut();
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#cut();
    await once(this.#server, "close");
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket)).on("error", () => undefined);
    const { near, far } = this.#pretence ? this.#between(socket, this.#pretence) : this.#through(socket);
    for (const end of [near, far]) end.on("error", () => (near.destroy(), far.destroy()));
    near.pipe(far).pipe(near);
  }

  #through(socket: Socket) {
    return { near: socket, far: connect(this.#target, "127.0.0.1") };
  }

  #between(socket: Socket, { cert, key }: TestCertificate) {
    const near = new TLSSocket(socket, { isServer: true, secureContext: createSecureContext({ cert, key }) });
    near.once("data", (head: Buffer) => this.overheard.push(head.toString()));
    return { near, far: connectTls({ port: this.#target, host: "127.0.0.1", rejectUnauthorized: false }) };
  }
}
