import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { promisify } from "node:util";
import { checkServerIdentity as identity, connect, createServer } from "node:tls";
import { factsOf, type Pair } from "../../../src/door/certificate/pair.ts";
import { selfMade } from "../../../src/door/certificate/self-made.ts";
import { ownNames } from "../../../src/door/certificate/names.ts";
import { StateDirectory } from "../../../src/boot/state.ts";
import { fill, mountDisk, unmount } from "../../fault/small-disk.ts";

const DAY = 24 * 3_600_000;
const NAMES = ["localhost", "127.0.0.1", "::1", "box", "box.example.com", "fd00::1:2", "192.0.2.7"];

suite("the certificate that the agent makes", () => {
  let directory: string;
  let state: StateDirectory;
  /** Days by which the clock is ahead. */
  let ahead: number;
  let warnings: string[];
  const log = { warn: (_fields: object, words: string) => void warnings.push(words) };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "fl-self-made-"));
    state = await StateDirectory.open(join(directory, "state"));
    ahead = 0;
    warnings = [];
  });
  afterEach(() => rm(directory, { recursive: true }));

  const make = (names: readonly string[] = NAMES) =>
    selfMade({ state, holder: "böx", names, log, now: () => Date.now() + ahead * DAY }).read();
  const file = (name: string) => join(state.path, name);

  test("is made once, and only its owner can read it and its key", async () => {
    const made = await make();
    assert.deepEqual(await make(), made);
    for (const name of ["tls-key.pem", "tls-cert.pem"])
      assert.equal((await stat(file(name))).mode & 0o777, 0o600, name);
    assert.equal(await readFile(file("tls-cert.pem"), "utf8"), made.cert);
  });

  test("is for a server only, for years, and begins before clocks that are behind", async () => {
    const { cert } = await make();
    const certificate = new X509Certificate(cert);
    assert.equal(certificate.subject, "CN=Fairlead on böx");
    assert.deepEqual([certificate.ca, certificate.keyUsage], [false, ["1.3.6.1.5.5.7.3.1"]]);
    assert.ok(certificate.verify(certificate.publicKey));
    const days = (date: string) => (new Date(date).getTime() - Date.now()) / DAY;
    assert.ok(days(certificate.validTo) > 2 * 365 && days(certificate.validTo) <= 825, certificate.validTo);
    assert.ok(days(certificate.validFrom) < -0.9);
  });

  test("is accepted by a client that trusts it, for every one of its names and for no other", async () => {
    const pair = await make();
    for (const name of NAMES) assert.equal(await verdict(pair, name), "good", name);
    for (const name of ["example.com", "x.box", "192.0.2.8", "fd00::1:3"])
      assert.equal(await verdict(pair, name), "ERR_TLS_CERT_ALTNAME_INVALID", name);
  });

  test("has the pin that openssl finds", async () => {
    const pair = await make();
    const script = `openssl x509 -in ${file("tls-cert.pem")} -noout -pubkey | openssl pkey -pubin -outform der | sha256sum`;
    const { stdout } = await promisify(execFile)("sh", ["-c", script]);
    assert.equal(factsOf(pair).pin, `sha256:${stdout.slice(0, 64)}`);
  });

  test("is renewed before its end with the same key, so that its pin stays", async () => {
    const first = await make();
    ahead = 700;
    assert.deepEqual(await make(), first, "not yet");
    ahead = 800;
    const second = await make();
    assert.notEqual(second.cert, first.cert);
    assert.equal(factsOf(second).pin, factsOf(first).pin);
    assert.ok(factsOf(second).validTo.getTime() > Date.now() + 1500 * DAY);
    assert.deepEqual(await make(), second);
  });

  test("still works in the year 2060, when X.509 writes times in another way", async () => {
    ahead = 365 * 34;
    assert.match(new X509Certificate((await make()).cert).validTo, / 206\d /);
  });

  test("is made anew when it lacks a name, and not when it has one too many", async () => {
    const first = await make();
    assert.deepEqual(await make(NAMES.slice(0, 3)), first);
    const second = await make([...NAMES, "198.51.100.1"]);
    assert.equal(await verdict(second, "198.51.100.1"), "good");
    assert.equal(factsOf(second).pin, factsOf(first).pin);
  });

  test("is served also where a disk that is full does not take it, is then the same at each look, and that is told once", async () => {
    const disk = await mountDisk();
    try {
      state = await StateDirectory.open(join(disk, "state"));
      const first = await make();
      await fill(disk);
      const source = selfMade({ state, holder: "böx", names: [...NAMES, "198.51.100.1"], log });
      const second = await source.read();
      assert.equal(await verdict(second, "198.51.100.1"), "good");
      assert.equal(factsOf(second).pin, factsOf(first).pin);
      assert.deepEqual(await source.read(), second);
      assert.deepEqual(await make(), first, "it was not kept");
      assert.equal(warnings.length, 1);
      assert.match(
        warnings[0] ?? "",
        /each start makes another, with the same key: cannot use \S+\/state: the disk is full; free some space$/,
      );
    } finally {
      await unmount(disk);
    }
  });

  test("is not made anew where anything else keeps it from being written; that is refused, in words", async () => {
    await make();
    await mkdir(file("tls-cert.pem.new"));
    await assert.rejects(make([...NAMES, "198.51.100.1"]), { name: "StateError", message: /cannot use \S+\/state: / });
    assert.deepEqual(warnings, []);
  });

  test("is made anew when it is damaged or another key's; a damaged key is told, not replaced", async () => {
    const first = await make();
    await writeFile(file("tls-cert.pem"), "no certificate");
    assert.equal(factsOf(await make()).pin, factsOf(first).pin);
    await rm(file("tls-key.pem"));
    const second = await make();
    assert.notEqual(factsOf(second).pin, factsOf(first).pin);
    await writeFile(file("tls-key.pem"), second.key.slice(0, 80));
    await assert.rejects(make(), /tls-key\.pem is damaged; put a copy back, or remove it to get another key/);
    assert.equal(await readFile(file("tls-key.pem"), "utf8"), second.key.slice(0, 80));
  });

  test("has only names that a certificate can hold, each once, this machine's own among them", () => {
    const names = ownNames({
      listenAddress: "0.0.0.0",
      publicUrls: ["https://GW.example.com:9443", "https://[fd00::9]"],
    });
    assert.deepEqual(names.slice(0, 3), ["localhost", "127.0.0.1", "::1"]);
    for (const name of ["gw.example.com", "fd00::9"]) assert.ok(names.includes(name), name);
    assert.equal(new Set(names).size, names.length);
    assert.ok(!names.some((name) => name === "0.0.0.0" || name === "::" || name.startsWith("fe80")));
    assert.ok(ownNames({ listenAddress: "::ffff:192.0.2.1", publicUrls: [] }).includes("192.0.2.1"));
  });
});

/** What a client that trusts the certificate says of a server that has it, asked under this name. */
async function verdict(pair: Pair, name: string): Promise<string> {
  const server = createServer(pair, (socket) => socket.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const socket = connect({
    port,
    host: "127.0.0.1",
    ca: pair.cert,
    rejectUnauthorized: false,
    checkServerIdentity: check,
  });
  await once(socket, "secureConnect");
  const { authorized, authorizationError } = socket;
  socket.destroy();
  server.close();
  return authorized ? "good" : String(authorizationError);

  function check(_host: string, certificate: Parameters<typeof identity>[1]): Error | undefined {
    return identity(name, certificate);
  }
}
