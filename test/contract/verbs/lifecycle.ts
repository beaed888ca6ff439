/** control: start, stop, restart, remove. */

import assert from "node:assert/strict";
import type { Order } from "../../../src/agent/runtime/runtime.ts";
import { until } from "../../support/until.ts";
import type { Rig } from "../rig.ts";

const UNKNOWN = "0".repeat(64);
const REMOVE = { kind: "remove", force: false, volumes: false } as const;
/** Takes the polite signal as a reason to end well. */
const POLITE = {
  command: ["sh", "-c", 'trap "exit 5" TERM; echo ready; while :; do sleep 0.1; done'],
  args: ["--stop-signal", "TERM"],
};
/** Does not hear the polite signal. */
const DEAF = { command: ["sh", "-c", 'trap "" TERM; while :; do sleep 0.1; done'], args: ["--stop-signal", "TERM"] };

export function lifecycleContract(rig: Rig): void {
  const { signal } = rig;
  const control = (id: string, order: Order) => rig.runtime.control(id, order, signal);
  const inspect = (id: string) => rig.runtime.inspect(id, signal);

  rig.verb("control", "stops a container with the polite signal, starts and restarts it", async () => {
    const id = await rig.container(POLITE);
    await until("the trap", async () => (await rig.engine.docker("logs", id)).includes("ready"));
    await control(id, { kind: "stop" });
    const { state, exitCode } = await inspect(id);
    assert.deepEqual({ state, exitCode }, { state: "exited", exitCode: 5 });
    await control(id, { kind: "start" });
    const { startedAt, state: again } = await inspect(id);
    assert.equal(again, "running");
    await control(id, { kind: "restart", timeout: 5 });
    const after = await inspect(id);
    assert.equal(after.state, "running");
    assert.notEqual(after.startedAt, startedAt);
  });

  rig.verb("control", "kills what has not ended when its time is over", async () => {
    const id = await rig.container(DEAF);
    await control(id, { kind: "stop", timeout: 1 });
    assert.equal((await inspect(id)).exitCode, 137);
  });

  rig.verb("control", "has nothing to do where it is so already", async () => {
    const id = await rig.container();
    await control(id, { kind: "start" });
    await control(id, { kind: "stop", timeout: 0 });
    await control(id, { kind: "stop", timeout: 0 });
    assert.equal((await inspect(id)).state, "exited");
  });

  rig.verb("control", "removes a container that runs by force only", async () => {
    const id = await rig.container();
    await assert.rejects(control(id, REMOVE), { name: "RuntimeError", code: "conflict" });
    await control(id, { ...REMOVE, force: true });
    await assert.rejects(inspect(id), { code: "not-found" });
  });

  rig.verb("control", "removes anonymous volumes only when asked to", async () => {
    for (const volumes of [false, true]) {
      const id = await rig.container({ args: ["-v", "/data"] });
      const name = await rig.engine.docker("inspect", "--format", "{{(index .Mounts 0).Name}}", id);
      await control(id, { kind: "remove", force: true, volumes });
      const left = await rig.engine.docker("volume", "ls", "--quiet", "--filter", `name=${name}`);
      assert.equal(left, volumes ? "" : name);
      if (!volumes) await rig.engine.docker("volume", "rm", name);
    }
  });

  rig.verb("control", "says in the engine's words why a container cannot start", async () => {
    const id = await rig.engine.docker("create", "busybox", "/no/such/program");
    await assert.rejects(control(id, { kind: "start" }), { code: "engine-error", message: /no such file/ });
    await control(id, REMOVE);
  });

  rig.verb("control", "says not-found for what does not exist", async () => {
    for (const id of [UNKNOWN, "web", "../../info"])
      for (const order of [{ kind: "start" }, { kind: "stop" }, { kind: "restart" }, REMOVE] as const)
        await assert.rejects(control(id, order), { name: "RuntimeError", code: "not-found" }, `${order.kind} ${id}`);
  });
}
