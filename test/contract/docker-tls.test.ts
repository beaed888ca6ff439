/** The Docker runtime keeps the runtime's contract with an engine that is reached over TCP and mutual TLS, too. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { createDockerRuntime } from "../../src/agent/runtime/docker/docker.ts";
import { Authority, startTlsEngine } from "../support/tls-engine.ts";
import { contract } from "./contract.ts";
import { Rig } from "./rig.ts";
import { silent } from "./silent.ts";

const secure = await startTlsEngine();
const stranger = await Authority.make();
const tls = await filesIn(secure.clientDirectory);
const rig = new Rig({
  name: "docker over TLS",
  engine: secure.engine,
  createRuntime: (stateDir) => createDockerRuntime({ host: secure.tcp, tls, stateDir, log: silent }),
  kernel: 5,
});

contract(rig, async () => {
  await secure.close();
  await stranger.close();
});

const FOREIGN = /its certificate is not of the authority whose ca\.pem is in docker_cert_path/;
const UNWANTED = /it refuses the client certificate in docker_cert_path/;

test("calls and streams are refused without the right certificates, in words that name the setting", async () => {
  const other = await filesIn(await stranger.issue());
  const host = secure.tcp;
  const cases: [Parameters<typeof createDockerRuntime>[0]["tls"], string, RegExp][] = [
    [undefined, host, /The engine wants TLS; set docker_cert_path/],
    [other, host, FOREIGN],
    [{ ...tls, ca: other.ca }, host, FOREIGN],
    [{ ...other, ca: tls.ca }, host, UNWANTED],
    [tls, host.replace("127.0.0.1", "localhost"), /does not match certificate's altnames/],
  ];
  for (const [files, address, message] of cases) {
    const options = { host: address, stateDir: secure.clientDirectory, log: silent };
    const refused = createDockerRuntime(files ? { ...options, tls: files } : options);
    const error = { code: "engine-unavailable", message };
    await assert.rejects(refused.list(rig.signal), error);
    await assert.rejects(refused.watch(rig.signal)[Symbol.asyncIterator]().next(), error);
    await refused.close();
  }
});

async function filesIn(directory: string) {
  const [ca, cert, key] = await Promise.all(
    ["ca", "cert", "key"].map((name) => readFile(join(directory, `${name}.pem`))),
  );
  if (!ca || !cert || !key) throw new Error(`${directory} lacks a file`);
  return { ca, cert, key };
}
