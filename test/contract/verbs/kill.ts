/** Process.close and recover: nothing an exec started is left behind. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { ExecSpec } from "../../../src/agent/runtime/runtime.ts";
import { until } from "../../support/until.ts";
import { Listener, listen, type Rig } from "../rig.ts";

/** Milliseconds in which everything must be gone; what is done takes two to four seconds, and more on a busy machine. */
const LIMIT = 15_000;
/** A tree that ignores what can be ignored. */
const STUBBORN = `trap '' HUP TERM INT; sh -c "trap '' HUP TERM INT; sleep 901 & sleep 902 & wait" & sleep 903 & echo ready; wait; wait; wait`;

export function killContract(rig: Rig): void {
  const { signal } = rig;
  const others = (id: string) => processesBeside(rig, id);
  const start = (id: string, command: string[], spec: Partial<ExecSpec> = {}) =>
    rig.runtime.exec(id, { command, tty: false, stdin: true, ...spec }, signal);
  const closeInTime = async (id: string, close: () => Promise<void>) => {
    const started = performance.now();
    await close();
    assert.deepEqual(await others(id), []);
    assert.ok(performance.now() - started < LIMIT);
  };

  for (const tty of [false, true]) {
    const where = tty ? "on a terminal" : "in a pipe";
    rig.verb("close", `ends a tree that ignores HUP and TERM, ${where}`, async () => {
      const id = await rig.container();
      const process = await start(id, ["sh", "-c", STUBBORN], { tty });
      const listener = new Listener(process.output);
      await listener.heard(/ready/);
      await until("the tree", async () => (await others(id)).length === 5);
      await closeInTime(id, () => process.close());
      await listener.ended;
      assert.deepEqual(await process.exit, { code: 137 });
    });

    rig.verb("close", `ends a process in an image without a shell, ${where}`, async () => {
      const id = await rig.container({ image: "noshell" });
      const process = await start(id, ["/busybox", "sleep", "904"], { tty });
      await closeInTime(id, () => process.close());
      assert.deepEqual(await process.exit, { code: 129 });
    });
  }

  rig.verb("close", "ends children that hold the output after their parent has ended", async () => {
    const id = await rig.container();
    const process = await start(id, ["sh", "-c", "trap '' HUP TERM; sleep 905 & echo ready"]);
    const listener = new Listener(process.output);
    await listener.heard(/ready/);
    await until("the parent's end", async () => (await others(id)).length === 1);
    await closeInTime(id, () => process.close());
    await listener.ended;
    assert.deepEqual(await process.exit, { code: 0 });
  });

  rig.verb("close", "ends descendants that have a session of their own", async () => {
    const id = await rig.container();
    const process = await start(id, ["sh", "-c", "setsid sleep 906 & echo ready; wait"]);
    const listener = new Listener(process.output);
    await listener.heard(/ready/);
    await until("the tree", async () => (await others(id)).some((line) => line.endsWith("sleep 906")));
    await closeInTime(id, () => process.close());
  });

  rig.verb("close", "ends a stopped process", async () => {
    const id = await rig.container();
    const process = await start(id, ["sh", "-c", "echo ready; kill -STOP $$"]);
    await new Listener(process.output).heard(/ready/);
    await closeInTime(id, () => process.close());
  });

  rig.verb("close", "ends a process whose output nobody reads", async () => {
    const id = await rig.container();
    const process = await start(id, ["yes"]);
    await closeInTime(id, () => process.close());
    await process.close();
  });

  rig.verb("close", "touches nobody else in the container", async () => {
    const id = await rig.container();
    const neighbour = await start(id, ["cat"]);
    const process = await start(id, ["sleep", "907"]);
    await process.close();
    const said = listen(neighbour);
    await neighbour.write(Buffer.from("still here"));
    await neighbour.end();
    assert.equal((await said).stdout, "still here");
  });

  rig.verb("close", "leaves alone what an ended process left in the background", async () => {
    const id = await rig.container();
    const process = await start(id, ["sh", "-c", "sleep 908 </dev/null >/dev/null 2>&1 &"]);
    await listen(process);
    assert.deepEqual(await process.exit, { code: 0 });
    await process.close();
    assert.equal((await others(id)).length, 1);
  });

  rig.verb("exec", "leaves nothing behind when it is called off at any moment", async () => {
    const id = await rig.container();
    for (let delay = 0; delay < 60; delay += 6) {
      const stop = new AbortController();
      const starting = rig.runtime.exec(id, { command: ["sleep", "909"], tty: false, stdin: true }, stop.signal);
      setTimeout(() => stop.abort(), delay);
      await starting.then((process) => process.close()).catch((error) => assert.equal(error.name, "AbortError"));
    }
    await until("the last one to go", async () => (await others(id)).length === 0);
  });

  rig.verb("recover", "ends what an agent left that was killed with -9", async () => {
    const id = await rig.container();
    const { runtime, stateDir } = await rig.another();
    const agent = abandoned(rig, { stateDir, id });
    await until("the tree", async () => (await others(id)).length === 5);
    await until("the journal", async () => (await readdir(`${stateDir}/execs`)).length === 1);
    agent.kill("SIGKILL");
    await new Promise((resolve) => agent.once("exit", resolve));
    assert.equal((await others(id)).length, 5);
    await closeInTime(id, () => runtime.recover(signal));
    assert.deepEqual(await readdir(`${stateDir}/execs`), []);
  });

  rig.verb("recover", "leaves the runtime's own processes alone", async () => {
    const id = await rig.container();
    const process = await start(id, ["sleep", "910"]);
    await rig.runtime.recover(signal);
    assert.equal((await others(id)).length, 1);
    await process.close();
  });
}

/** The command lines of a container's processes, its first one left out; the dead that nobody has buried have none. */
async function processesBeside(rig: Rig, id: string): Promise<string[]> {
  const first = await rig.engine.docker("inspect", "--format", "{{.State.Pid}}", id);
  const read = (pid: string, file: string) => readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name) && name !== first);
  const inside = await Promise.all(pids.map(async (pid) => (await read(pid, "cgroup")).includes(id)));
  const lines = pids.filter((_, index) => inside[index]).map((pid) => read(pid, "cmdline"));
  return (await Promise.all(lines)).map((line) => line.replaceAll("\0", " ").trim()).filter(Boolean);
}

/** Another agent that starts the stubborn tree and waits to be killed. */
function abandoned(rig: Rig, { stateDir, id }: { stateDir: string; id: string }): ChildProcess {
  const program = fileURLToPath(new URL("../abandon.ts", import.meta.url));
  return spawn(process.execPath, [program, rig.engine.host, stateDir, id, STUBBORN], { stdio: "inherit" });
}
