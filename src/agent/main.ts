/** The program `fairlead agent`. */

import { fileURLToPath } from "node:url";
import project from "../../package.json" with { type: "json" };
import { run } from "../boot/run.ts";
import { Agent } from "./agent.ts";
import { agentProgram } from "./config.ts";

const { version } = project;
/** The same place seen from src/agent and from dist/agent. */
const uiDirectory = fileURLToPath(new URL("../../dist/ui", import.meta.url));

await run({
  program: agentProgram(version),
  start: async ({ config, log, stopping }) => {
    const agent = await Agent.start({ config, log, version, pid: process.pid, uiDirectory, stopping });
    process.stdout.write(welcome(agent));
    return agent;
  },
});

function welcome({ url, code, engine, elsewhere, tokenFile }: Agent): string {
  return [
    `Fairlead ${version} serves the containers of ${engine}`,
    `  page      ${url}/#code=${code}`,
    `            (the code ${code} signs one browser in, within 15 minutes; for another: ctl sign-in)`,
    "  terminal  npx ctl ps",
    ...(elsewhere
      ? [
          `  elsewhere ctl --server ${elsewhere.server} --pin ${elsewhere.pin} --token-file TOKEN ps`,
          `            (TOKEN is a copy of ${tokenFile})`,
        ]
      : []),
    "  end       Ctrl-C",
    "",
  ].join("\n");
}
