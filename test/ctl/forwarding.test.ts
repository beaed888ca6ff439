/** Connections that a local program makes to a forwarded port, all the way to a service. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Forwarding } from "../../src/ctl/forwarding.ts";
import { Messages } from "../../src/ctl/messages.ts";
import { Output } from "../../src/ctl/output.ts";
import { startDesk } from "../support/desk.ts";

test("a program that breaks off is a reset for the service, also after its end", async (t) => {
  const service = await listening(t, createServer({ allowHalfOpen: true }));
  const { port } = service.address() as AddressInfo;
  const desk = await startDesk({ dial: () => connect({ port, host: "127.0.0.1", allowHalfOpen: true }) });
  t.after(() => desk.close());
  const client = desk.client();
  t.after(() => client.close());
  const messages = new Messages({ output: new Output(() => process.stderr), started: 0 });
  const forwarding = new Forwarding({ client, place: { container: "web" }, ports: [port], messages });
  const local = await listening(t, createServer({ allowHalfOpen: true, pauseOnConnect: true }));
  const carried: Promise<void>[] = [];
  local.on("connection", (socket) => carried.push(forwarding.carry(socket, port)));

  for (const ends of [false, true]) {
    const accepted = once(service, "connection") as Promise<[Socket]>;
    const program = connect({ port: (local.address() as AddressInfo).port, allowHalfOpen: true });
    program.on("error", () => {});
    const [inside] = await accepted;
    const failed = once(inside, "error") as Promise<[NodeJS.ErrnoException]>;
    const heard = once(program, "data");
    inside.resume();
    if (ends) program.end();
    if (ends) await once(inside, "end");
    inside.write("hello");
    await heard;
    program.resetAndDestroy();
    // Who has been told the end hears of a reset when he says something.
    const talk = setInterval(() => ends && inside.write("is anybody there?"), 20);
    t.after(() => clearInterval(talk));
    const [error] = await failed;
    assert.match(String(error.code), /^(ECONNRESET|EPIPE)$/);
    await carried.at(-1);
  }
});

async function listening(t: TestContext, server: Server): Promise<Server> {
  t.after(() => server.close());
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}
