import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { suite, test } from "node:test";
import { bearer, closed, converse, json, requestText, startFront } from "../support/front.ts";

const PROBES = { address: "127.0.0.1", port: 0 };

suite("the listener for probes", () => {
  test("answers with bare words to anyone, under any host name", async () => {
    let ready = true;
    await using front = await startFront({ config: { probes: PROBES }, gateway: { runtimeReady: () => ready } });
    const probe = async (path: string, more: { method?: string; headers?: string[] } = {}) =>
      converse(front.probePort, requestText("lb.example.com", { path, ...more }));
    const answer = async (path: string) => {
      const { status, body } = await probe(path);
      return [status, JSON.parse(body)] as unknown[];
    };
    assert.deepEqual(await answer("/healthz"), [200, { status: "ok" }]);
    assert.deepEqual(await answer("/readyz"), [200, { status: "ready" }]);
    assert.deepEqual(
      [(await probe("/readyz", { method: "HEAD" })).status, (await probe("/healthz")).status],
      [200, 200],
    );
    ready = false;
    assert.deepEqual(await answer("/readyz"), [503, { status: "not ready" }]);
    assert.deepEqual(await answer("/healthz"), [200, { status: "ok" }]);
  });

  test("has nothing else, not even for those with credentials", async () => {
    await using front = await startFront({ config: { probes: PROBES } });
    const paths = [
      "/",
      "/metrics",
      "/api/v1/containers",
      "/api/v1/sessions",
      "/healthz/",
      "/healthz?x",
      "//healthz",
      "*",
    ];
    for (const path of paths)
      for (const method of ["GET", "POST", "CONNECT"]) {
        const headers = [bearer(front.admin), "Upgrade: websocket", "Connection: Upgrade, close"];
        const { status, body } = await converse(front.probePort, requestText("x", { method, path, headers }));
        assert.ok(status === 404 || status === 0 || status === 400, `${method} ${path}: ${status}`);
        assert.doesNotMatch(body, /web|fairlead/);
      }
    const detailed = await converse(
      front.probePort,
      requestText("x", { path: "/healthz", headers: [bearer(front.admin)] }),
    );
    assert.deepEqual(json(detailed), { status: "ok" });
  });

  test("goes on while the agent drains, says so, and ends with it", async () => {
    await using front = await startFront({ config: { probes: PROBES } });
    await front.gateway.drain();
    const { status, body } = await converse(front.probePort, requestText("x", { path: "/readyz" }));
    assert.deepEqual([status, body], [503, `{"status":"not ready"}`]);
    const kept = connect(front.probePort, "127.0.0.1").resume();
    await once(kept, "connect");
    await front.gateway.close();
    await closed(kept);
  });

  test("cuts those who are slow, and serves others meanwhile", async () => {
    const limits = { headersMs: 400, requestMs: 600, checkMs: 50, keepAliveMs: 100 };
    await using front = await startFront({ config: { probes: PROBES, limits } });
    const silent = Array.from({ length: 40 }, (_, i) => {
      const socket = connect(front.probePort, "127.0.0.1").resume();
      socket.on("error", () => undefined);
      if (i % 2) socket.write("GET /healthz HTTP/1.1\r\nX-Slow:");
      return socket;
    });
    const { status } = await converse(front.probePort, requestText("x", { path: "/healthz" }));
    assert.equal(status, 200);
    await Promise.all(silent.map((socket) => closed(socket)));
  });

  test("says what to do when its port is taken", async () => {
    await using first = await startFront();
    const second = startFront({ config: { probes: { address: "127.0.0.1", port: first.port } } });
    await assert.rejects(second, /Another program already uses port \d+ on 127.0.0.1; .* --probe-port/);
  });
});
