import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { ContainerDetailView, ContainerList } from "../../../src/protocol/container.ts";
import { container } from "../../support/scripted-runtime.ts";
import { bearer, code, json, startFront } from "../../support/front.ts";

const compose = {
  "com.docker.compose.project": "shop",
  "com.docker.compose.service": "web",
  "com.docker.compose.container-number": "1",
};
const CONTAINERS = [
  container({ id: "1a".repeat(32), name: "shop-web-1", labels: compose }),
  container({ id: "1b".repeat(32), name: "a.b_c--d" }),
];

suite("containers over HTTP", () => {
  test("are listed as the protocol describes them", async () => {
    await using front = await startFront({ desk: { containers: CONTAINERS } });
    const answer = await front.ask({ path: "/api/v1/containers", headers: [bearer(front.admin)] });
    const list = ContainerList.parse(json(answer));
    assert.equal(list.node, "test");
    assert.deepEqual(
      list.containers.map(({ name, service }) => [name, service]),
      [
        ["shop-web-1", "web"],
        ["a.b_c--d", undefined],
      ],
    );
    assert.match(answer.headers["content-type"] ?? "", /^application\/json/);
    assert.equal(answer.headers["cache-control"], "no-store");
  });

  test("are found by name, id, short id and Compose service, encoded once", async () => {
    await using front = await startFront({ desk: { containers: CONTAINERS } });
    for (const reference of ["shop-web-1", "1a".repeat(32), "1a1a", "shop/web", "shop/web/1", "a.b_c--d"]) {
      const path = `/api/v1/containers/${encodeURIComponent(reference)}`;
      const answer = await front.ask({ path, headers: [bearer(front.admin)] });
      assert.equal(answer.status, 200, reference);
      const { name } = ContainerDetailView.parse(json(answer));
      assert.equal(name, reference.startsWith("a") ? "a.b_c--d" : "shop-web-1");
    }
  });

  test("are not found by anything else", async () => {
    await using front = await startFront({ desk: { containers: CONTAINERS } });
    const expected: Record<string, string> = {
      "shop%252Fweb": "not-found",
      "shop/web/1": "not-found",
      "..%2f..%2fhealthz": "not-found",
      "%00": "not-found",
      "%E2%82%AC": "not-found",
      "%ff": "bad-request",
      "": "bad-request",
      "a?more=1": "bad-request",
    };
    for (const [reference, refusal] of Object.entries(expected)) {
      const answer = await front.ask({ path: `/api/v1/containers/${reference}`, headers: [bearer(front.admin)] });
      assert.equal(code(answer), refusal, reference);
    }
    for (const length of [257, 5_000]) {
      const answer = await front.ask({
        path: `/api/v1/containers/${"x".repeat(length)}`,
        headers: [bearer(front.admin)],
      });
      assert.ok([400, 404].includes(answer.status), String(length));
    }
    const query = await front.ask({ path: "/api/v1/containers?watch=maybe", headers: [bearer(front.admin)] });
    assert.deepEqual([query.status, code(query)], [400, "bad-request"]);
  });

  test("say when a reference is ambiguous, in a body of at most a kibibyte", async () => {
    const many = Array.from({ length: 60 }, (_, i) =>
      container({ id: `c0c0${i + 10}`.padEnd(64, "0"), name: `n${i}`.repeat(40) }),
    );
    await using front = await startFront({ desk: { containers: many } });
    const answer = await front.ask({ path: "/api/v1/containers/c0c0", headers: [bearer(front.admin)] });
    assert.deepEqual([answer.status, code(answer)], [409, "ambiguous"]);
    assert.ok(Buffer.byteLength(answer.body) <= 1_024, `${Buffer.byteLength(answer.body)} bytes`);
  });
});
