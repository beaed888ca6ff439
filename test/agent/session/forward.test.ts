/** A forwarded connection to a real service. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { test } from "node:test";
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

  for (const first of ["client", "service"]) {
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
      inside.resetAndDestroy();
      const heard: string[] = [];
      for await (const { type } of connection.packets()) heard.push(type);
      assert.deepEqual(heard, ["reset", "exit"]);
    }
  }
  await client.close();
});
