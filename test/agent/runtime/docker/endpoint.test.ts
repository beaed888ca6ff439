/** Ways to reach an engine. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { createServer } from "node:tls";
import { createDockerRuntime } from "../../../../src/agent/runtime/docker/docker.ts";
import { parseEndpoint } from "../../../../src/agent/runtime/docker/endpoint.ts";
import { silent } from "../../../contract/silent.ts";
import { sharedEngine } from "../../../support/engine.ts";

const { signal } = new AbortController();
const directory = mkdtempSync(join(tmpdir(), "fl-tls-"));
after(() => rmSync(directory, { recursive: true }));

test("addresses are understood, and what is none is refused with words", () => {
  assert.deepEqual(parseEndpoint("unix:///run/docker.sock").target, { path: "/run/docker.sock" });
  assert.deepEqual(parseEndpoint("tcp://host:1234").target, { host: "host", port: 1234 });
  assert.deepEqual(parseEndpoint("tcp://10.0.0.1").target, { host: "10.0.0.1", port: 2375 });
  assert.deepEqual(parseEndpoint("tcp://[fd00::1]:99/").target, { host: "fd00::1", port: 99 });
  for (const host of [
    "",
    "unix://",
    "unix://relative",
    "ssh://host",
    "http://host",
    "tcp://",
    "tcp://host/path",
    "tcp://h:99999",
  ]) {
    assert.throws(() => parseEndpoint(host), { name: "RuntimeError", code: "invalid" });
  }
});

test("an engine behind TLS is reached with the client's certificate, for calls and streams alike, and not without it", async () => {
  const engine = await sharedEngine();
  const ca = authority("ca");
  const server = createServer({
    ...certificate("server", "ca"),
    ca,
    requestCert: true,
    rejectUnauthorized: true,
    allowHalfOpen: true,
  });
  server.on("secureConnection", (outer) => {
    const inner = connect({ path: engine.socket, allowHalfOpen: true });
    outer.on("error", () => inner.destroy()).pipe(inner);
    inner.on("error", () => outer.destroy()).pipe(outer);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  const open = (tls: Parameters<typeof parseEndpoint>[1]) =>
    createDockerRuntime({ host: `tcp://127.0.0.1:${port}`, ...(tls ? { tls } : {}), stateDir: directory, log: silent });
  const runtime = open({ ca, ...certificate("client", "ca") });
  const id = await engine.run(`tls-${port}`);
  try {
    const process = await runtime.exec(id, { command: ["wc", "-c"], tty: false, stdin: true }, signal);
    await process.write(Buffer.alloc(1024 * 1024));
    await process.end();
    let text = "";
    for await (const { bytes } of process.output) text += Buffer.from(bytes).toString();
    assert.equal(text, "1048576\n");
    assert.deepEqual(await process.exit, { code: 0 });

    const stranger = { ca: authority("other"), ...certificate("stranger", "other") };
    for (const tls of [undefined, stranger, { ...stranger, ca }]) {
      const refused = open(tls);
      await assert.rejects(refused.list(signal), { code: "engine-unavailable" });
      await assert.rejects(refused.watch(signal)[Symbol.asyncIterator]().next(), { code: "engine-unavailable" });
      await refused.close();
    }
  } finally {
    await runtime.close();
    await engine.docker("rm", "--force", id);
    server.close();
  }
});

const openssl = (...args: string[]) =>
  execFileSync("openssl", args, { cwd: directory, stdio: ["ignore", "ignore", "pipe"] });
const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Makes a certificate authority; gives its certificate. */
function authority(name: string): Buffer {
  openssl("req", "-x509", ...KEY, "-subj", `/CN=${name}`, "-keyout", `${name}.key`, "-out", `${name}.pem`);
  return readFileSync(join(directory, `${name}.pem`));
}

function certificate(name: string, ca: string): { cert: Buffer; key: Buffer } {
  const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  openssl("req", ...KEY, ...names, "-keyout", `${name}.key`, "-out", `${name}.csr`);
  const signing = ["-CA", `${ca}.pem`, "-CAkey", `${ca}.key`, "-CAcreateserial", "-copy_extensions", "copy"];
  openssl("x509", "-req", "-in", `${name}.csr`, ...signing, "-out", `${name}.pem`);
  const file = (suffix: string) => readFileSync(join(directory, `${name}.${suffix}`));
  return { cert: file("pem"), key: file("key") };
}
