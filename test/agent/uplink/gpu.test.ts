import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";

const PROBE = `import { GpuMeter } from ${JSON.stringify(new URL("../../../src/agent/uplink/metrics/gpu.ts", import.meta.url).href)};
console.log(JSON.stringify((await new GpuMeter().look()) ?? "none"));`;

suite("graphics processors, as a scripted nvidia-smi tells them", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "fl-gpu-"));
  });
  after(() => rm(directory, { recursive: true }));

  /** What the meter finds where this is the whole program. */
  async function look(script: string | undefined): Promise<unknown> {
    const program = join(directory, "nvidia-smi");
    await rm(program, { force: true });
    if (script !== undefined) {
      await writeFile(program, `#!/bin/sh\n${script}\n`);
      await chmod(program, 0o755);
    }
    const env = { ...process.env, PATH: [directory, "/usr/bin", "/bin"].join(delimiter) };
    const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", PROBE], { env });
    return JSON.parse(stdout);
  }

  test("use, memory, temperature, power, and which process uses which", async () => {
    const sleeper = spawn("sleep", ["60"]);
    const gpus = `GPU-1, NVIDIA A100, 37, 40960, 1024, 61, 250.5\\nGPU-2, NVIDIA T4, [N/A], 15360, 0, 40, [Not Supported]`;
    const processes = `GPU-1, ${sleeper.pid}, 512\\nGPU-1, 4194304, [N/A]`;
    const found = await look(`case $1 in --query-gpu=*) printf '${gpus}\\n' ;; *) printf '${processes}\\n' ;; esac`);
    sleeper.kill();
    assert.deepEqual(found, [
      {
        uuid: "GPU-1",
        name: "NVIDIA A100",
        usage: 37,
        memoryTotal: 40960 * 1_048_576,
        memoryUsed: 1024 * 1_048_576,
        temperature: 61,
        power: 250.5,
        processes: [{ pid: sleeper.pid, memory: 512 * 1_048_576 }, { pid: 4194304 }],
      },
      {
        uuid: "GPU-2",
        name: "NVIDIA T4",
        memoryTotal: 15360 * 1_048_576,
        memoryUsed: 0,
        temperature: 40,
        processes: [],
      },
    ]);
  });

  test("none where it is not installed, fails, or hangs", async () => {
    assert.equal(await look(undefined), "none");
    assert.equal(await look("echo 'NVIDIA-SMI has failed' >&2; exit 9"), "none");
    assert.equal(await look("exec sleep 60"), "none");
  });
});
