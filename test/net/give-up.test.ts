import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer } from "node:net";
import { test } from "node:test";
import { giveUpAfter } from "../../src/net/give-up.ts";

test("an answer that came while this process stood still is in time, whatever the clock says", async () => {
  const server = createServer((socket) => socket.destroy());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const callOff = giveUpAfter(20, () => socket.destroy(new Error("late")));
  const until = performance.now() + 200;
  while (performance.now() < until);
  await once(socket, "connect").finally(() => server.close());
  callOff();
  socket.destroy();
});

test("without an answer it is called once the time is over, and not when it was called off", async () => {
  const calls: string[] = [];
  giveUpAfter(1, () => calls.push("first"))();
  await new Promise<void>((resolve) => void giveUpAfter(20, resolve));
  const callOff = giveUpAfter(1, () => calls.push("second"));
  await new Promise<void>((resolve) => void setTimeout(resolve, 20));
  callOff();
  assert.deepEqual(calls, ["second"]);
});
