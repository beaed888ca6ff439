/** What goes on for hours must notice when nobody is at the other end any more. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { suite, test, type TestContext } from "node:test";
import { Connection } from "../../src/ctl/connection.ts";
import { Messages } from "../../src/ctl/messages.ts";
import { Output } from "../../src/ctl/output.ts";

/** A watch of a server's, which says what `answer` writes; time passes by `t.mock.timers`. */
async function watch(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const server = createServer().listen(0, "127.0.0.1");
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  await once(server, "listening");
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const messages = new Messages({ output: new Output(() => process.stderr), started: 0 });
  const wanted = { server: address, token: "x".repeat(40) };
  const connection = await Connection.find(wanted, { env: {}, messages, introduce: undefined });
  const lines = connection.lines("/api/v1/events?watch=true");
  const asked = once(server, "request") as Promise<[unknown, ServerResponse]>;
  const first = lines.next();
  const [, answer] = await asked;
  answer.write('{"n":0}\n');
  assert.deepEqual((await first).value, { n: 0 });
  return { lines, answer, pass: (seconds: number) => t.mock.timers.tick(seconds * 1_000) };
}

suite("a watch", () => {
  test("goes on while the server gives signs of life, and ends with words when it gives none for 45 s", async (t) => {
    const { lines, answer, pass } = await watch(t);
    for (const n of [1, 2]) {
      const next = lines.next();
      pass(44);
      answer.write(`\n{"n":${n}}\n`);
      assert.deepEqual((await next).value, { n });
    }
    const never = lines.next();
    pass(46);
    await assert.rejects(never, { code: "unreachable", message: /45 s.*dead.*again/ });
  });

  test("waits for whoever reads it as long as he likes", async (t) => {
    const { lines, answer, pass } = await watch(t);
    pass(3_600);
    answer.write('{"n":1}\n');
    assert.deepEqual((await lines.next()).value, { n: 1 });
  });

  test("of what is no server of ours says so", async (t) => {
    const { lines, answer } = await watch(t);
    answer.write("<html>\n");
    await assert.rejects(lines.next(), {
      code: "protocol-error",
      message: /127\.0\.0\.1.*not.*JSON.*Check the address/,
    });
  });
});
