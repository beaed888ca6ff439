/** `bin/engine`: private engines that start beside each other, survive what befalls their processes and leave nothing behind. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { type Engine, startEngine } from "../support/engine.ts";
import { until } from "../support/until.ts";

const run = promisify(execFile);

const file = async (engine: Engine, name: string): Promise<string> =>
  (await readFile(join(engine.dir, name), "utf8")).trim();

describe("a private engine", () => {
  let engine: Engine;
  let container: string;

  before(async () => {
    engine = await startEngine();
    container = await engine.run("kept");
  });
  after(() => engine.remove());

  const listed = (): Promise<string> => engine.docker("ps", "--all", "--quiet", "--no-trunc");

  test("stays as it is when it is started again", async () => {
    const pid = await file(engine, "docker.pid");
    await engine.start();
    assert.equal(await file(engine, "docker.pid"), pid);
    assert.equal(await engine.docker("inspect", "--format", "{{.State.Running}}", "kept"), "true");
  });

  test("stops with its containers and has them again after a start", async () => {
    await engine.stop();
    assert.ok(!existsSync(engine.socket));
    await engine.start();
    assert.equal(await listed(), container);
  });

  test("comes back after its daemon was killed", async () => {
    await engine.docker("start", "kept");
    await engine.kill("SIGKILL");
    await engine.start();
    assert.equal(await listed(), container);
    await engine.docker("start", "kept");
  });

  test("comes back after its containerd was killed", async () => {
    const pid = await file(engine, "containerd.pid");
    process.kill(Number(pid), "SIGKILL");
    // As long as it is there, the engine is up already.
    await until("the end of containerd", async () => {
      return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")) === "";
    });
    await engine.start();
    await engine.docker("start", "kept");
  });

  test("does not take another process for its daemon", async () => {
    await engine.stop();
    await writeFile(join(engine.dir, "docker.pid"), String(process.pid));
    await engine.start();
    assert.notEqual(await file(engine, "docker.pid"), String(process.pid));
  });
});

test("engines started at the same time have networks of their own, and go without a trace", async () => {
  const engines = await Promise.all([startEngine(), startEngine()]);
  const [subnets, bridges] = await Promise.all(
    ["subnet", "name"].map((name) => Promise.all(engines.map((engine) => file(engine, name)))),
  );
  assert.ok(subnets && bridges);
  await Promise.all(engines.map((engine) => engine.run("same-name")));
  const addresses = await Promise.all(
    engines.map((engine) => engine.docker("inspect", "--format", "{{.NetworkSettings.IPAddress}}", "same-name")),
  );
  assert.notEqual(subnets[0], subnets[1]);
  for (const [i, address] of addresses.entries()) assert.ok(address.startsWith(`${subnets[i]}.`), address);

  await Promise.all(engines.map((engine) => engine.remove()));
  for (const { dir } of engines) assert.ok(!existsSync(dir));
  const { stdout: arguments_ } = await run("sh", ["-c", "cat /proc/[0-9]*/cmdline 2>/dev/null || true"]);
  for (const bridge of bridges) {
    assert.ok(!(bridge in networkInterfaces()), `${bridge} is left`);
    assert.ok(!arguments_.includes(`/${bridge}/`), `a process of ${bridge} is left`);
  }
});

test("removing an engine that is not there is no error", async () => {
  await run(new URL("../../bin/engine", import.meta.url).pathname, ["remove", "/nonexistent/engine"]);
});
