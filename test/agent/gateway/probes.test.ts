import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { newSecret } from "../../../src/auth/secret.ts";
import { clocks } from "../../support/clocks.ts";
import { bearer, json, startFront } from "../../support/front.ts";

suite("a probe", () => {
  test("gives a bare word to anyone, and more to those who may see metrics", async () => {
    const [metrics, logs] = [newSecret(), newSecret()];
    const tokens = [
      { token: metrics, grant: { subject: "monitor", rights: ["metrics" as const], scopes: [{ team: "blue" }] } },
      { token: logs, grant: { subject: "reader", rights: ["logs" as const], scopes: [] } },
    ];
    await using front = await startFront({ tokens });
    const bare = { "/healthz": { status: "ok" }, "/readyz": { status: "ready" } };
    for (const [path, expected] of Object.entries(bare)) {
      for (const headers of [[], [bearer(logs)], [bearer(newSecret())], ["Authorization: Basic eDp5"]]) {
        const answer = await front.ask({ path, headers });
        assert.deepEqual([answer.status, json(answer)], [200, expected]);
        front.clock.ahead += 60_000;
      }
      const detailed = await front.ask({ path, headers: [bearer(metrics)] });
      assert.ok(Object.keys(json(detailed)).length > 1, path);
      assert.equal((await front.ask({ method: "HEAD", path })).status, 200);
    }
  });

  test("tells for how long the agent has been running, however the clock is set", async (t) => {
    await using front = await startFront();
    const { jump, pass } = clocks(t);
    for (const ms of [-86_400_000, 2 * 86_400_000]) {
      jump(ms);
      pass(10_000);
      const seconds = Number(
        json(await front.ask({ path: "/healthz", headers: [bearer(front.admin)] }))["uptimeSeconds"],
      );
      assert.ok(seconds >= 10 && seconds < 40_000, `${seconds} s`);
    }
  });

  test("says that the agent is alive and not ready while the engine is away", async () => {
    await using front = await startFront({ gateway: { runtimeReady: () => false } });
    assert.equal((await front.ask({ path: "/healthz" })).status, 200);
    const answer = await front.ask({ path: "/readyz" });
    assert.deepEqual([answer.status, json(answer)], [503, { status: "not ready" }]);
  });

  test("goes on answering while the agent drains, when nothing else does", async () => {
    await using front = await startFront();
    const endless = ["/api/v1/containers?watch=1", "/api/v1/audit?follow=1"];
    const answers = endless.map((path) => front.ask({ path, headers: [bearer(front.admin)] }));
    await front.gateway.drain();
    for (const answer of answers) assert.match((await answer).body, /"code":"shutting-down"/);
    assert.equal((await front.ask({ path: "/healthz" })).status, 200);
    assert.equal((await front.ask({ path: "/readyz" })).status, 503);
    const refused = await front.ask({ path: "/api/v1/containers", headers: [bearer(front.admin)] });
    assert.deepEqual([refused.status, json(refused)["code"]], [503, "shutting-down"]);
  });
});

suite("the metrics", () => {
  test("are for those who may see them", async () => {
    await using front = await startFront();
    assert.equal((await front.ask({ path: "/metrics" })).status, 401);
    const answer = await front.ask({ path: "/metrics", headers: [bearer(front.admin)] });
    assert.match(answer.headers["content-type"] ?? "", /^text\/plain/);
    assert.match(answer.body, /fairlead_http_requests_total\{route="\/metrics",status="401"\} 1/);
  });

  test("are for anyone where the configuration says so", async () => {
    await using front = await startFront({ config: { metricsPublic: true } });
    assert.equal((await front.ask({ path: "/metrics" })).status, 200);
  });

  test("have as many series as there are routes, whatever is asked for", async () => {
    await using front = await startFront();
    for (let i = 0; i < 50; i++) await front.ask({ path: `/nowhere/${i}` });
    const { body } = await front.ask({ path: "/metrics", headers: [bearer(front.admin)] });
    assert.match(body, /fairlead_http_requests_total\{route="none",status="404"\} 50/);
  });
});
