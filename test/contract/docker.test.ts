/** The Docker runtime keeps the runtime's contract, on a real private engine. */

import { after, before } from "node:test";
import { createDockerRuntime } from "../../src/agent/runtime/docker/docker.ts";
import { sharedEngine } from "../support/engine.ts";
import { printTable, Rig } from "./rig.ts";
import { silent } from "./silent.ts";
import { attachContract } from "./verbs/attach.ts";
import { dialContract } from "./verbs/dial.ts";
import { execContract } from "./verbs/exec.ts";
import { killContract } from "./verbs/kill.ts";
import { lifecycleContract } from "./verbs/lifecycle.ts";
import { listContract } from "./verbs/list.ts";
import { logsContract } from "./verbs/logs.ts";
import { statsContract } from "./verbs/stats.ts";

const engine = await sharedEngine();
const rig = new Rig({
  name: `docker ${await engine.docker("version", "--format", "{{.Server.Version}}")}`,
  engine,
  createRuntime: (stateDir) => createDockerRuntime({ host: engine.host, stateDir, log: silent }),
});

before(() => rig.open());
after(() => rig.close());
const contracts = [
  listContract,
  lifecycleContract,
  statsContract,
  logsContract,
  execContract,
  killContract,
  attachContract,
  dialContract,
];
for (const contract of contracts) contract(rig);
printTable([rig]);
