import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { engineHost, engineTls, isExposed } from "../../src/agent/engine-address.ts";
import sockets from "../../src/agent/engine-sockets.json" with { type: "json" };

const ROOT = join(import.meta.dirname, "..", "..");

test("the sockets of the agent's own user are looked for where XDG_RUNTIME_DIR says", async () => {
  const own = await mkdtemp(join(tmpdir(), "fl-run-"));
  await mkdir(join(own, "podman"));
  await writeFile(join(own, "podman", "podman.sock"), "");
  const path = sockets.find((each) => existsSync(each)) ?? join(own, "podman", "podman.sock");
  assert.equal(engineHost({ XDG_RUNTIME_DIR: own }), `unix://${path}`);
  await rm(own, { recursive: true });
});

test("npm start looks for an engine at the same sockets, in the same order", () => {
  const [, loop] =
    /\$\((sed [^\n]*engine-sockets\.json")\)/.exec(readFileSync(join(ROOT, "bin", "start"), "utf8")) ?? [];
  const read = execFileSync("sh", ["-c", loop ?? "false"], { env: { ...process.env, root: ROOT } });
  assert.deepEqual(read.toString().trim().split("\n"), sockets);
});

test("of several certificates that are missing the same one is named each time", async () => {
  for (let time = 0; time < 300; time++)
    await assert.rejects(engineTls("tcp://engine:2376", { docker_cert_path: "/nowhere" }), {
      message: /^docker_cert_path: \/nowhere\/ca\.pem cannot be read/,
    });
});

test("an engine on this machine is nobody else's to overhear, one elsewhere is", () => {
  const own = ["unix:///run/docker.sock", "tcp://127.0.0.1:2375", "tcp://localhost:2375", "tcp://[::1]:2375"];
  assert.deepEqual(own.filter(isExposed), []);
  const elsewhere = ["tcp://192.0.2.1:2375", "tcp://box.example.com:2375", "tcp://[2001:db8::1]:2375"];
  assert.deepEqual(elsewhere.filter(isExposed), elsewhere);
});
