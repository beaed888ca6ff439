import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { newSecret } from "../../../src/auth/secret.ts";
import { connectTo } from "../../fault/stage.ts";
import { recordsIn } from "../../support/audit.ts";
import { until } from "../../support/until.ts";
import { type Answer, bearer, converse, type Front, json, offer, startFront, upgrade } from "../../support/front.ts";
import { APP_PORT, Proxied } from "../../door/apps/proxied.ts";

const FORM = /^[0-9a-f]{16}$/;
const LOG = "/api/v1/containers/web/logs";

function idOf({ headers }: Answer): string {
  const id = headers["x-request-id"] ?? "";
  assert.match(id, FORM);
  return id;
}

function logged({ log }: Front, id: string): unknown[] {
  return log.filter((line) => (line as { request?: string }).request === id);
}

suite("the id of a request", () => {
  test("is on each answer, another one each time, and in its line of the log", async () => {
    await using front = await startFront();
    const ids = new Set<string>();
    for (const path of ["/healthz", "/api/v1/containers", "/api/v1/version", "/metrics", LOG]) {
      const id = idOf(await front.ask({ path, headers: [bearer(front.admin)] }));
      await until(`a line of ${path}`, () => logged(front, id).length === 1);
      ids.add(id);
    }
    assert.equal(ids.size, 5);
  });

  test("is in the problem of a refusal too, and in the audit", async () => {
    await using front = await startFront();
    const answer = await front.ask({ path: "/api/v1/containers", headers: [bearer(newSecret())] });
    const id = idOf(answer);
    assert.equal(json(answer)["request"], id);
    assert.equal(logged(front, id).length, 1);
    await until("a record", async () => (await recordsIn(front.auditDirectory)).some(({ request }) => request === id));
  });

  test("is never the client's choice", async () => {
    await using front = await startFront();
    const chosen = "0123456789abcdef";
    const headers = [bearer(front.admin), `X-Request-Id: ${chosen}`];
    assert.notEqual(idOf(await front.ask({ path: "/api/v1/containers", headers })), chosen);
    assert.equal(logged(front, chosen).length, 0);
  });

  test("is on answers to what has no route, or is no request", async () => {
    await using front = await startFront();
    for (const path of ["/nowhere", "/%zz"]) {
      const answer = await front.ask({ path, headers: [bearer(front.admin)] });
      assert.equal(json(answer)["request"], idOf(answer), path);
    }
    const broken = await converse(front.port, "what?\r\n\r\n");
    assert.deepEqual([broken.status, json(broken)["request"]], [400, idOf(broken)]);
  });

  test("of a WebSocket is on its agreement, in the records of its sessions, and in their refusals", async () => {
    await using front = await startFront({ desk: { exec: async () => ({ code: 0 }) } });
    const headers = upgrade(bearer(front.admin), offer());
    const agreed = front.ask({ path: "/api/v1/sessions", headers });
    await until("an open connection", () => front.desk.sessions.traffic.clients === 1);
    await front.gateway.close();
    idOf(await agreed);
  });

  test("of a client's connection is told with what its sessions are refused with", async () => {
    await using front = await startFront({ desk: { exec: async () => ({ code: 0 }) } });
    const client = connectTo({ url: front.url, token: front.admin });
    const exec = { command: ["x"], tty: false, stdin: false };
    const error = await client.exec("no-such", exec).catch((refused: unknown) => refused as { request?: string });
    const id = "request" in error ? error.request : undefined;
    assert.match(id ?? "", FORM);
    await client.exec("web", exec);
    await until("three records", () => front.desk.audit.filter(({ request }) => request === id).length === 3);
    assert.deepEqual(
      front.desk.audit.map(({ event }) => event),
      ["refuse", "open", "end"],
    );
    await client.close();
  });

  test("is on what an app's address answers by itself, and not on what the app answers", async () => {
    await using proxied = await Proxied.open((_request, response) => response.end("page"));
    const visitor = await proxied.visit();
    assert.equal((await visitor.ask()).headers["x-request-id"], undefined);
    const refused = await proxied.ask(visitor.host, {});
    const id = idOf(refused);
    assert.deepEqual([refused.status, json(refused)["request"]], [401, id]);
    assert.equal(logged(proxied.front, id).length, 1);
    const link = await proxied.link({ port: APP_PORT });
    const opened = idOf(await proxied.ask(link.host, { path: link.pathname + link.search }));
    assert.ok(proxied.front.desk.audit.some(({ request }) => request === opened));
  });
});
