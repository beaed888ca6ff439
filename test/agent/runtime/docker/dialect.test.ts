/** Which version of the API is spoken with which engine, and what engines hear that speak none of ours. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { listContainers } from "../../../../src/agent/runtime/docker/containers.ts";
import { chooseDialect } from "../../../../src/agent/runtime/docker/dialect.ts";
import { json, says, withFakeEngine } from "./fake-engine.ts";

const { signal } = new AbortController();
const docker = (Version: string, ApiVersion: string, MinAPIVersion: string) => ({ Version, ApiVersion, MinAPIVersion });

test("the newest version that both sides know is spoken", () => {
  assert.equal(chooseDialect(docker("19.03.15", "1.40", "1.12")).api, "/v1.40");
  assert.equal(chooseDialect(docker("20.10.24", "1.41", "1.12")).api, "/v1.41");
  assert.equal(chooseDialect(docker("28.5.1", "1.51", "1.24")).api, "/v1.51");
  assert.equal(chooseDialect(docker("29.0.0", "1.52", "1.44")).api, "/v1.51");
});

test("Podman is known by its components, and its logs are read over its own API", () => {
  const answer = { ...docker("4.3.1", "1.41", "1.24"), Components: [{ Name: "Podman Engine" }] };
  const { name, api, logsApi } = chooseDialect(answer);
  assert.deepEqual({ name, api, logsApi }, { name: "podman", api: "/v1.41", logsApi: "/v4.0.0/libpod" });
});

test("an engine that is too old or too new is refused with its versions, ours and what to do", async () => {
  const cases = [
    [docker("18.09.9", "1.39", "1.12"), /Docker 18\.09\.9\) speaks API 1\.12 to 1\.39; .* 1\.40 to 1\.51\. Update it/],
    [docker("40.0.0", "1.70", "1.60"), /Docker 40\.0\.0\) speaks API 1\.60 to 1\.70; .* 1\.51\. Update Fairlead/],
  ] as const;
  for (const [answer, message] of cases)
    await withFakeEngine({ to: () => says(json(JSON.stringify(answer))) }, async (engine) => {
      const refusal = { name: "RuntimeError", code: "unsupported", message };
      await assert.rejects(listContainers(engine, signal), refusal);
      await assert.rejects(engine.stream({ method: "GET", path: "/events" }, signal), refusal);
    });
});

test("every request carries the version that was agreed on, and a proxy that hides it changes nothing else", async () => {
  for (const [version, path] of [
    [JSON.stringify(docker("20.10.24", "1.41", "1.12")), "/v1.41/containers/json?all=1"],
    ["{}", "/containers/json?all=1"],
  ] as const) {
    const asked: string[] = [];
    const to = (request: string) => {
      asked.push(request.split(" ")[1] ?? "");
      return says(json(asked.length === 1 ? version : "[]"));
    };
    await withFakeEngine({ to }, async (engine) => void (await listContainers(engine, signal)));
    assert.deepEqual(asked, ["/version", path]);
  }
});

test("an engine that was away is asked again for its version", async () => {
  const asked: string[] = [];
  const to = (request: string) => {
    asked.push(request.split(" ")[1] ?? "");
    const version = json(JSON.stringify(docker("20.10.24", "1.41", "1.12")));
    return says(request.includes("/version") ? version : "");
  };
  await withFakeEngine({ to }, async (engine) => {
    for (let round = 0; round < 2; round++)
      await assert.rejects(listContainers(engine, signal), { code: "engine-unavailable" });
  });
  assert.equal(asked.filter((path) => path === "/version").length, 2);
});
