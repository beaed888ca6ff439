/** A program that starts an exec and is killed by its test: HOST STATE_DIR CONTAINER SCRIPT. */

import { createDockerRuntime } from "../../src/agent/runtime/docker/docker.ts";
import { silent } from "./silent.ts";

const [host = "", stateDir = "", id = "", script = ""] = process.argv.slice(2);
const runtime = createDockerRuntime({ host, stateDir, log: silent });
const command = ["sh", "-c", script];
const exec = await runtime.exec(id, { command, tty: false, stdin: true }, new AbortController().signal);
for await (const _ of exec.output);
