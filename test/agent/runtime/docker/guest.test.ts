/** Callers who leave while a helper container is started, or dials for them. */

import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { test } from "node:test";
import { Guest } from "../../../../src/agent/runtime/docker/guest/guest.ts";
import type { Wire } from "../../../../src/agent/runtime/docker/wire.ts";
import { aborted } from "../../../../src/lib/wait.ts";
import { Budget } from "../../../../src/mux/budget.ts";
import { withFakeEngine } from "./fake-engine.ts";

const ATTACH = { method: "POST", path: "/", upgrade: true } as const;

async function leave(guest: Guest, begun: Promise<unknown>): Promise<void> {
  const caller = new AbortController();
  const dialled = guest.dial(80, { timeout: 600_000, signal: caller.signal });
  await begun;
  assert.equal(guest.isIdle, false);
  caller.abort();
  await assert.rejects(dialled, { name: "AbortError" });
  assert.equal(guest.isIdle, true);
}

test("a caller who leaves before the helper container has started takes no place any more", async () => {
  const guest = new Guest({ start: () => new Promise<Wire>(() => {}), budget: new Budget(0) });
  await leave(guest, Promise.resolve());
  guest.end();
});

test("a caller who leaves while silent addresses are tried takes no place any more", async () => {
  const asked = new AbortController();
  const silent = (socket: Socket) => {
    socket.write("HTTP/1.1 101 UPGRADED\r\n\r\n");
    socket.on("data", (bytes) => bytes.includes('"port":80') && asked.abort());
  };
  await withFakeEngine(silent, async (engine) => {
    const guest = new Guest({ start: (signal) => engine.stream(ATTACH, signal), budget: new Budget(0) });
    await leave(guest, aborted(asked.signal));
    guest.end();
    await guest.over;
  });
});
