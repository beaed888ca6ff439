/** The Docker runtime when its engine hangs or dies: on an engine of its own, because others need theirs. */

import { tmpdir } from "node:os";
import { after, before } from "node:test";
import { createDockerRuntime } from "../../src/agent/runtime/docker/docker.ts";
import { startEngine } from "../support/engine.ts";
import { printTable, Rig } from "./rig.ts";
import { silent } from "./silent.ts";
import { faultContract } from "./verbs/faults.ts";

const engine = await startEngine();
const rig = new Rig({
  name: `docker ${await engine.docker("version", "--format", "{{.Server.Version}}")}`,
  engine,
  createRuntime: (stateDir) => createDockerRuntime({ host: engine.host, stateDir, log: silent }),
});

before(() => rig.open());
after(async () => {
  await rig.close();
  await engine.remove();
});
faultContract(rig, {
  engine,
  impatient: (host, timeout) => createDockerRuntime({ host, timeout, stateDir: tmpdir(), log: silent }),
});
printTable([rig]);
