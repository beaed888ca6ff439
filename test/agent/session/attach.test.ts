/** What an attach lets its client do to the container. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { ExitStatus } from "../../../src/protocol/packet.ts";
import type { Grant } from "../../../src/protocol/rights.ts";
import { startDesk } from "../../support/desk.ts";
import type { Script } from "../../support/scripted-runtime.ts";
import { until } from "../../support/until.ts";

const OUTPUT = { stdout: true, stderr: true };
const GUEST: Grant = { subject: "guest", rights: ["attach-ro"], scopes: [] };

/** Runs until it is let go of. */
function linger({ closed }: Script): Promise<ExitStatus> {
  return new Promise((resolve) => {
    closed.addEventListener("abort", () => resolve({ unknown: "let go" }), { once: true });
  });
}

test("who may only look sends a container neither input nor signals, and is told", async () => {
  const desk = await startDesk({ exec: linger });
  const client = desk.client([], GUEST);
  const session = await client.attach("web", { stdin: false, ...OUTPUT });
  const [script] = desk.runtime.scripts;
  const said = session.packets().next();
  await session.send({ type: "stdin", bytes: Buffer.from("rm") });
  await session.send({ type: "signal", name: "KILL" });
  await assert.rejects(said, { code: "bad-request", message: /only look/ });
  assert.deepEqual([script?.stdin, script?.signals], [[], []]);
  await client.close();
  await desk.close();
});

test("who may type is told whether the container reads it, and sends it signals", async () => {
  const desk = await startDesk({ exec: linger });
  const client = desk.client();
  const session = await client.attach("web", { stdin: true, ...OUTPUT });
  assert.deepEqual([session.tty, session.stdin], [false, true]);
  await session.send({ type: "signal", name: "TERM" });
  await until("the signal", () => desk.runtime.scripts[0]?.signals.includes("TERM"));
  await client.close();
  await desk.close();
});
