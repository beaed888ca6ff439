/** The Docker runtime keeps the runtime's contract on a real private Podman, which speaks nearly the same API. */

import { createDockerRuntime } from "../../src/agent/runtime/docker/docker.ts";
import { startPodman } from "../support/podman.ts";
import { contract } from "./contract.ts";
import { type Exceptions, Rig } from "./rig.ts";
import { silent } from "./silent.ts";

const ROTATION = "Podman keeps one file of a log, and goes on after a rotation without a word about what was in it";
/** What docs/engines.md tells of Podman. */
const EXCEPTIONS: Exceptions = {
  "control stops a container with the polite signal, starts and restarts it":
    "Podman gives a container that was made through Docker's API no time to stop",
  "stats tells what the engine's own client tells":
    "Podman tells Docker's client no use of the processor to compare with",
  "logs follows across rotations, each line once": ROTATION,
  "logs follows a log that is emptied when it is full, each line once as long as it does not break off": ROTATION,
  "logs breaks a follow off rather than skip what was rotated away while nobody read": ROTATION,
  "close ends children that hold the output after their parent has ended":
    "Podman ends an exec's output with its first process, which leaves the others in the background",
  "copyOut says that a file is no directory": "Podman overlooks a slash at the end of a path",
  "copyIn says that a container is read-only": "Podman writes into a read-only container all the same",
  "copyIn says that there is no room, while more is still to come":
    "Podman makes a small volume only on a file system with project quotas",
  "attach ends the input of a container that was made for it": "Podman does not tell that a container was made so",
  "attach lets go without a trace": "Podman ends a container's input with any attach that had it",
};

const engine = await startPodman();
const rig = new Rig({
  name: `podman ${await engine.docker("version", "--format", "{{.Server.Version}}")}`,
  engine,
  createRuntime: (stateDir) => createDockerRuntime({ host: engine.host, stateDir, log: silent }),
  habits: { image: "docker.io/library/busybox:latest", network: "podman", fineStamps: false },
  exceptions: EXCEPTIONS,
});

contract(rig, () => engine.remove());
