/** A program that starts an exec, says when it speaks, and ends it with its own standard input: HOST STATE_DIR CONTAINER SCRIPT. */

import { once } from "node:events";
import { createDockerRuntime } from "../../../../src/agent/runtime/docker/docker.ts";

const [host = "", stateDir = "", id = "", script = ""] = process.argv.slice(2);
const log = { debug: () => {}, warn: (fields: object, message: string) => console.error(message, fields) };
const runtime = createDockerRuntime({ host, stateDir, log });
const spec = { command: ["sh", "-c", script], tty: false, stdin: true };
const exec = await runtime.exec(id, spec, new AbortController().signal);
const output = exec.output[Symbol.asyncIterator]();
await output.next();
console.log("ready");
await once(process.stdin.resume(), "end");
await exec.close();
console.log(JSON.stringify(await exec.exit));
await runtime.close();
