/** Connections of a forward, to a real service. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RemoteSession } from "../../../src/client/session.ts";
import { reset } from "../../../src/net/reset.ts";
import { ADMIN, startDesk } from "../../support/desk.ts";
import { until } from "../../support/until.ts";

/** Longer than the agent waits between two looks for idle sessions, in milliseconds. */
const A_MINUTE = 60_000;

test("a reset of the client's is one for the service, and one of the service's for the client", async (t) => {
  const service = createServer({ allowHalfOpen: true });
  t.after(() => service.close());
  await once(service.listen(0, "127.0.0.1"), "listening");
  const { port } = service.address() as AddressInfo;
  const desk = await startDesk({ dial: () => connect({ port, host: "127.0.0.1", allowHalfOpen: true }) });
  t.after(() => desk.close());
  const client = desk.client();
  const forward = await client.forward("web", { ports: [port] });

  for (const first of ["client", "client after its end", "service", "service after its end"]) {
    const accepted = once(service, "connection") as Promise<[Socket]>;
    const connection = await forward.dial(port);
    const [inside] = await accepted;
    await connection.send({ type: "stdin", bytes: Buffer.from("hello") });
    assert.equal(String(await once(inside, "data")), "hello");
    if (first.startsWith("client")) {
      const failed = once(inside, "error") as Promise<[NodeJS.ErrnoException]>;
      if (first !== "client") await Promise.all([connection.send({ type: "end" }), once(inside, "end")]);
      await connection.send({ type: "reset" });
      // Who has been told the end hears of a reset when he says something.
      const talk = setInterval(() => first !== "client" && inside.write("is anybody there?"), 20);
      t.after(() => clearInterval(talk));
      const [error] = await failed;
      assert.match(String(error.code), /^(ECONNRESET|EPIPE)$/);
    } else {
      const ends = first !== "service";
      if (ends) inside.end();
      setTimeout(() => reset(inside), 100);
      const heard: string[] = [];
      for await (const { type } of connection.packets()) {
        heard.push(type);
        if (type === "end") void talk(connection).catch(() => {});
      }
      assert.deepEqual(heard, [...(ends ? ["end"] : []), "reset", "exit"]);
    }
  }
  await client.close();
});

test("what has ended takes no connection any more, also while its client has not read so", async (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const dialled: number[] = [];
  const dial = (port: number) => {
    dialled.push(port);
    return new PassThrough();
  };
  const desk = await startDesk({ dial, limits: { idle: 1 } });
  t.after(() => desk.close());
  const { signal } = new AbortController();
  const visit = { subject: { grant: ADMIN, revoked: signal }, remote: { address: "127.0.0.1", door: "test" }, signal };
  const body = { ports: [80] };
  const { opened: forward } = await desk.sessions.open({ header: { op: "forward", container: "web" }, body }, visit);
  const proxied = { header: { op: "proxy", container: "web" }, body: { port: 80 } } as const;
  const { opened: proxy } = await desk.sessions.open(proxied, visit);
  await until("both are idle", () => {
    t.mock.timers.tick(A_MINUTE);
    return desk.audit.filter(({ event }) => event === "end").length === 2;
  });
  assert.deepEqual(desk.sessions.counts(), { forward: 1, proxy: 1 }, "kept for the client");
  const { session, secret } = forward;
  const refused = desk.sessions.open({ header: { op: "dial", session }, body: { secret, port: 80 } }, visit);
  await assert.rejects(refused, { code: "session-gone" });
  await assert.rejects(desk.sessions.connect(proxy), { code: "session-gone" });
  assert.deepEqual(dialled, []);
});

/** Until the session is over. */
async function talk(connection: RemoteSession): Promise<void> {
  for (;;) {
    await connection.send({ type: "stdin", bytes: Buffer.from("is anybody there?") });
    await delay(20);
  }
}
