import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEndpoint } from "../../../../src/agent/runtime/docker/endpoint.ts";

test("addresses are understood, and what is none is refused with words", () => {
  assert.deepEqual(parseEndpoint("unix:///run/docker.sock").target, { path: "/run/docker.sock" });
  assert.deepEqual(parseEndpoint("tcp://host:1234").target, { host: "host", port: 1234 });
  assert.deepEqual(parseEndpoint("tcp://10.0.0.1").target, { host: "10.0.0.1", port: 2375 });
  assert.deepEqual(parseEndpoint("tcp://[fd00::1]:99/").target, { host: "fd00::1", port: 99 });
  const tls = { ca: Buffer.of(), cert: Buffer.of(), key: Buffer.of() };
  assert.deepEqual(parseEndpoint("tcp://host", tls).target, { host: "host", port: 2376 });
  for (const host of [
    "",
    "unix://",
    "unix://relative",
    "ssh://host",
    "http://host",
    "tcp://",
    "tcp://host/path",
    "tcp://h:99999",
  ]) {
    assert.throws(() => parseEndpoint(host), { name: "RuntimeError", code: "invalid" });
  }
});
