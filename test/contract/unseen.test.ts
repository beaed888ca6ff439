/** What the runtime does where it sees none of the engine's processes, as in a container of its own or with an engine on another machine. */

import { spawn } from "node:child_process";
import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { importGuestImage } from "../support/guest-image.ts";
import { startTlsEngine, type TlsEngine } from "../support/tls-engine.ts";

/** Keeps the engine's processes from whatever it starts. */
const HIDE = ["--pid", "--fork", "--kill-child", "--propagation", "unchanged", "--mount-proc"];
const SUITE = fileURLToPath(new URL("unseen/suite.ts", import.meta.url));

let secure: TlsEngine;
before(async () => {
  secure = await startTlsEngine();
  await importGuestImage(secure.engine);
});
after(() => secure?.close());

test("the contract of dial, and what is promised of helper containers", { timeout: 300_000 }, async () => {
  const { NODE_TEST_CONTEXT: _ours, ...env } = process.env;
  const where = { UNSEEN_SOCKET: secure.engine.host, UNSEEN_TCP: secure.tcp, UNSEEN_TLS: secure.clientDirectory };
  const child = spawn("unshare", [...HIDE, process.execPath, "--test-reporter=spec", SUITE], {
    env: { ...env, ...where },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.on("data", (bytes: Buffer) => (said += bytes.toString()));
  const [code] = await once(child, "close");
  assert.equal(code, 0, said);
  console.log(said);
});
