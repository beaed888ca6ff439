// The image's health check: whether the agent, or with the argument `server` the server, answers at its own socket file.
// Exit codes: 0 yes, 1 no.
import { get } from "node:http";

const who = process.argv[2] === "server" ? "server" : "agent";
const directory = who === "server" ? "/var/lib/fairlead-server" : "/var/lib/fairlead";
const request = get({ socketPath: `${directory}/${who}.sock`, path: "/healthz", timeout: 3000 }, (response) => {
  response.resume();
  process.exitCode = response.statusCode === 200 ? 0 : 1;
});
request.on("timeout", () => request.destroy(new Error("no answer within 3 s")));
request.on("error", ({ message }) => {
  console.error(`the ${who} does not answer: ${message}`);
  process.exitCode = 1;
});
