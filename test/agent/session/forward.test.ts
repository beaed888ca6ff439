/** A forwarded connection to a real service. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { RemoteSession } from "../../../src/client/session.ts";
import { reset } from "../../../src/net/reset.ts";
import { startDesk } from "../../support/desk.ts";

test("a reset of the client's is one for the service, and one of the service's for the client", async (t) => {
  const service = createServer({ allowHalfOpen: true });
  t.after(() => service.close());
  await once(service.listen(0, "127.0.0.1"), "listening");
  const { port } = service.address() as AddressInfo;
  const desk = await startDesk({ dial: () => connect({ port, host: "127.0.0.1", allowHalfOpen: true }) });
  t.after(() => desk.close());
  const client = desk.client();
  const forward = await client.forward("web", { ports: [port] });

  for (const first of ["client", "service", "service after its end"]) {
    const accepted = once(service, "connection") as Promise<[Socket]>;
    const connection = await forward.dial(port);
    const [inside] = await accepted;
    await connection.send({ type: "stdin", bytes: Buffer.from("hello") });
    assert.equal(String(await once(inside, "data")), "hello");
    if (first === "client") {
      await connection.send({ type: "reset" });
      const [error] = (await once(inside, "error")) as [NodeJS.ErrnoException];
      assert.equal(error.code, "ECONNRESET");
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

/** Until the session is over. */
async function talk(connection: RemoteSession): Promise<void> {
  for (;;) {
    await connection.send({ type: "stdin", bytes: Buffer.from("is anybody there?") });
    await delay(20);
  }
}
