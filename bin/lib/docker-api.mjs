// One HTTP request to an engine, for the shell scripts beside this file: node docker-api.mjs HOST METHOD PATH [BODY-FILE]
// The answer's body goes to stdout. Exit codes: 0 success, 1 the engine refused (its words on stderr), 2 nobody answered.
import { createReadStream } from "node:fs";
import { request } from "node:http";

const TIMEOUT_MS = 60_000;

const [host, method, path, file] = process.argv.slice(2);
const url = new URL(host.replace(/^tcp:/, "http:"));
const target =
  url.protocol === "unix:"
    ? { socketPath: decodeURIComponent(url.pathname) }
    : { host: url.hostname, port: url.port || 2375 };
const headers = { host: "docker", connection: "close" };
if (file) headers["content-type"] = file.endsWith(".tar") ? "application/x-tar" : "application/json";

function unreachable(error) {
  console.error(`the engine at ${host} does not answer: ${error.message}`);
  process.exitCode = 2;
}

const call = request({ ...target, method, path, headers, timeout: TIMEOUT_MS }, async (response) => {
  const refused = response.statusCode >= 400;
  try {
    for await (const chunk of response) (refused ? process.stderr : process.stdout).write(chunk);
    if (refused) process.exitCode = 1;
  } catch (error) {
    unreachable(error);
  }
});
call.on("error", unreachable);
call.on("timeout", () => call.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
if (file)
  createReadStream(file)
    .on("error", (error) => call.destroy(error))
    .pipe(call);
else call.end();
