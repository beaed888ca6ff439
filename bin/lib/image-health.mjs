// The image's health check: whether the agent answers at its own socket file. Exit codes: 0 yes, 1 no.
import { get } from "node:http";

const request = get({ socketPath: "/var/lib/fairlead/agent.sock", path: "/healthz", timeout: 3000 }, (response) => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on("timeout", () => request.destroy(new Error("no answer within 3 s")));
request.on("error", ({ message }) => {
  console.error(`the agent does not answer: ${message}`);
  process.exitCode = 1;
});
