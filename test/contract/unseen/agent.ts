/** An agent's runtime as a process of its own, that dials and keeps the connection until it is killed: HOST STATE_DIR IMAGE CONTAINER PORT. */

import { createDockerRuntime } from "../../../src/agent/runtime/docker/docker.ts";
import { silent } from "../silent.ts";

const [host = "", stateDir = "", helperImage = "", id = "", port = ""] = process.argv.slice(2);
const runtime = createDockerRuntime({ host, stateDir, log: silent, helperImage });
const connection = await runtime.dial(id, Number(port), new AbortController().signal);
console.log("connected");
for await (const _ of connection);
