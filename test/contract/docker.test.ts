/** The Docker runtime keeps the runtime's contract, on a real private engine. */

import { createDockerRuntime } from "../../src/agent/runtime/docker/docker.ts";
import { sharedEngine } from "../support/engine.ts";
import { contract } from "./contract.ts";
import { Rig } from "./rig.ts";
import { silent } from "./silent.ts";

const engine = await sharedEngine();
const rig = new Rig({
  name: `docker ${await engine.docker("version", "--format", "{{.Server.Version}}")}`,
  engine,
  createRuntime: (stateDir) => createDockerRuntime({ host: engine.host, stateDir, log: silent }),
});

contract(rig);
