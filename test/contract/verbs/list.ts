/** info, list, inspect and watch. */

import assert from "node:assert/strict";
import type { Container } from "../../../src/agent/runtime/runtime.ts";
import type { Rig } from "../rig.ts";

const UNKNOWN = "0".repeat(64);

export function listContract(rig: Rig): void {
  const { signal } = rig;

  rig.verb("info", "names the engine and its versions", async () => {
    const info = await rig.runtime.info(signal);
    assert.match(info.name, /^(docker|podman)$/);
    assert.match(info.version, /^\d+\./);
    assert.match(info.apiVersion, /^1\.\d+$/);
    assert.equal(info.os, "linux");
  });

  rig.verb("list", "shows a running container as it is", async () => {
    const id = await rig.container({ args: ["--label", "role=front", "--publish", "127.0.0.1::8080"] });
    const container = (await rig.runtime.list(signal)).find((item) => item.id === id);
    assert.ok(container);
    assert.match(container.name, /^contract-/);
    assert.equal(container.image, rig.habits.image);
    assert.match(container.imageId, /^sha256:/);
    assert.equal(container.state, "running");
    assert.match(container.status, /^Up /);
    assert.equal(container.labels["role"], "front");
    assert.deepEqual(container.networks, [rig.habits.network]);
    assert.ok(Math.abs(container.created - Date.now()) < 60_000);
    const [port] = container.ports;
    assert.deepEqual({ ...port, host: 0 }, { container: 8080, protocol: "tcp", host: 0, address: "127.0.0.1" });
  });

  rig.verb("list", "shows a container that has ended", async () => {
    const id = await rig.container({ command: ["true"] });
    await rig.engine.docker("wait", id);
    const container = (await rig.runtime.list(signal)).find((item) => item.id === id);
    assert.equal(container?.state, "exited");
  });

  rig.verb("inspect", "tells how a container was made and how it ended", async () => {
    const id = await rig.container({
      command: ["sh", "-c", "exit 7"],
      args: ["-i", "-v", "/data"],
    });
    await rig.engine.docker("wait", id);
    const detail = await rig.runtime.inspect(id, signal);
    assert.equal(detail.tty, false);
    assert.equal(detail.openStdin, true);
    assert.equal(detail.exitCode, 7);
    assert.equal(detail.restartPolicy, "no");
    // Not their order: the engine stamps the start when it hears of it, which may be after a quick end.
    for (const time of [detail.startedAt, detail.finishedAt]) assert.ok(Date.parse(time ?? "") > 0, time);
    assert.deepEqual(
      detail.mounts.map(({ type, destination, readOnly }) => ({ type, destination, readOnly })),
      [{ type: "volume", destination: "/data", readOnly: false }],
    );
    assert.equal(JSON.stringify(detail).includes("PATH="), false);
  });

  rig.verb("inspect", "gives a running container no exit code", async () => {
    const id = await rig.container({ args: ["-t", "--restart=unless-stopped"] });
    const detail = await rig.runtime.inspect(id, signal);
    assert.equal(detail.tty, true);
    assert.equal(detail.restartPolicy, "unless-stopped");
    assert.equal("exitCode" in detail, false);
    assert.equal("finishedAt" in detail, false);
  });

  rig.verb("inspect", "says not-found for ids that do not exist and for what is no id", async () => {
    for (const id of [
      UNKNOWN,
      "web",
      "../../info",
      `${UNKNOWN}?all=1`,
      "",
      UNKNOWN.toUpperCase().replaceAll("0", "A"),
    ]) {
      await assert.rejects(rig.runtime.inspect(id, signal), { name: "RuntimeError", code: "not-found" });
    }
  });

  rig.verb("watch", "yields the whole list at once and again after each change", async () => {
    const stop = new AbortController();
    const lists = rig.runtime.watch(stop.signal)[Symbol.asyncIterator]();
    const next = async (): Promise<Container[]> => (await lists.next()).value ?? [];
    const seen = async (id: string, state: string | undefined) => {
      while ((await next()).find((item) => item.id === id)?.state !== state);
    };
    const before = await rig.container();
    await seen(before, "running");
    const id = await rig.container();
    await seen(id, "running");
    await rig.engine.docker("pause", id);
    await seen(id, "paused");
    await rig.engine.docker("rm", "--force", id);
    await seen(id, undefined);
    const pending = lists.next();
    stop.abort();
    await assert.rejects(pending, { name: "AbortError" });
  });
}
