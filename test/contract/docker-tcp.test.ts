/** The Docker runtime keeps the runtime's contract with an engine that is reached over plain TCP, too. */

import { createDockerRuntime } from "../../src/agent/runtime/docker/docker.ts";
import { startEngine } from "../support/engine.ts";
import { freePort } from "../support/free-port.ts";
import { contract } from "./contract.ts";
import { Rig } from "./rig.ts";
import { silent } from "./silent.ts";

const host = `tcp://127.0.0.1:${await freePort()}`;
// Without the second flag the daemon waits 15 s for somebody to think again.
const engine = await startEngine([`--host=${host}`, "--tls=false"]);
const rig = new Rig({
  name: "docker over TCP",
  engine,
  createRuntime: (stateDir) => createDockerRuntime({ host, stateDir, log: silent }),
  kernel: 10,
});

contract(rig, () => engine.remove());
