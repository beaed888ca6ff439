/** What `fairlead service print` gives, in the eyes of systemd's own tools where this machine has them. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { agentProgram } from "../../src/agent/config.ts";
import { loadConfig } from "../../src/boot/config.ts";
import { serverProgram } from "../../src/server/config.ts";
import { inputs } from "../boot/inputs.ts";
import { command, environment } from "../support/docker-client.ts";

const LAUNCHER = fileURLToPath(new URL("../../bin/fairlead", import.meta.url));
const ANALYZE = "/usr/bin/systemd-analyze";
const skip = existsSync(ANALYZE) ? false : "this machine has no systemd-analyze";
/** Tenths of systemd's "exposure level"; the figures of the day are in docs/install.md. */
const MOST_EXPOSED = { agent: "33", server: "17" };

const print = (program: string, env: NodeJS.ProcessEnv = {}) =>
  command(LAUNCHER, ["service", "print", program], { env: { ...environment(), ...env } });

for (const program of ["agent", "server"] as const)
  test(`the ${program}'s unit has no mistake and leaves little open`, { skip }, async () => {
    const directory = await mkdtemp(join(tmpdir(), "fl-unit-"));
    const file = join(directory, `fairlead-${program}.service`);
    await writeFile(file, `${await print(program)}\n`);
    assert.equal(await command(ANALYZE, ["verify", file]), "");
    await command(ANALYZE, ["security", "--offline=true", `--threshold=${MOST_EXPOSED[program]}`, file]);
    await rm(directory, { recursive: true });
  });

test("a unit starts its own installation's program, and keeps its state apart from the other's", async () => {
  const [agent, server] = await Promise.all([print("agent"), print("server")]);
  const directory = fileURLToPath(new URL("../../bin", import.meta.url));
  assert.ok(agent.includes(`ExecStart="${directory}/fairlead" agent\n`));
  assert.ok(server.includes(`ExecStart="${directory}/fairlead" server\n`));
  assert.match(agent, /^StateDirectory=fairlead$/m);
  assert.match(server, /^StateDirectory=fairlead-server$/m);
  assert.match(agent, /^DeviceAllow=char-nvidia\* rw$/m);
});

for (const program of [agentProgram("1.2.3"), serverProgram("1.2.3")])
  test(`the unit of ${program.name} names the file that it reads, and keeps its log in the journal alone`, async () => {
    const unit = await print(program.name.split(" ").at(-1) ?? "");
    const [, file = ""] = /^# Its settings: (\S+)$/m.exec(unit) ?? [];
    const [, variables = ""] = /^Environment=(.*)$/m.exec(unit) ?? [];
    const env = Object.fromEntries(variables.split(" ").map((each) => each.split("=")));
    const { values } = loadConfig<typeof program.settings>(
      program,
      inputs({ env, files: { [file]: "shutdown_grace: 7s\n" } }),
    );
    assert.deepEqual([values.shutdown_grace, values.log_max_size], [7_000, 0]);
  });

test("on macOS it is a launchd job that starts at login and again after its end", async () => {
  const job = await print("agent", { FAIRLEAD_SERVICE_SYSTEM: "Darwin" });
  assert.match(job, /<key>Label<\/key><string>dev\.fairlead\.agent<\/string>/);
  assert.match(job, /<string>\S+\/bin\/fairlead<\/string><string>agent<\/string>/);
  assert.match(job, /<key>KeepAlive<\/key><true\/>/);
});

test("what it does not know is refused with how to say it, which --help tells", async () => {
  assert.match(await command(LAUNCHER, ["service", "--help"]), /^Usage: fairlead service print\|install\|remove/);
  await assert.rejects(command(LAUNCHER, ["service", "enable"]), /service print\|install\|remove \[agent\|server\]/);
  const settings = command(LAUNCHER, ["service", "print", "agent", "-S", "https://box:8080"]);
  await assert.rejects(settings, /"-S" is not taken: settings belong into the file/);
});
