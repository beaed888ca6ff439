/** The program `fairlead agent`. */

import { fileURLToPath } from "node:url";
import project from "../../package.json" with { type: "json" };
import { run } from "../boot/run.ts";
import { Agent } from "./agent.ts";
import { agentProgram } from "./config.ts";
import type { Elsewhere } from "./elsewhere.ts";
import { ownContainer } from "./runtime/docker/own-image.ts";

const { version } = project;
/** Digits of a container's id that people type. */
const SHORT_ID = 12;
/** The same place seen from src/agent and from dist/agent. */
const uiDirectory = fileURLToPath(new URL("../../dist/ui", import.meta.url));

await run({
  program: agentProgram(version),
  start: async ({ config, reread, log, stopping }) => {
    const { pid, env } = process;
    const agent = await Agent.start({ config, reread, log, version, pid, env, uiDirectory, stopping });
    process.stdout.write(welcome(agent));
    return agent;
  },
});

function welcome({ url, code, engine, elsewhere, tokenFile }: Agent): string {
  const container = ownContainer()?.slice(0, SHORT_ID);
  const ctl = container === undefined ? "ctl" : `docker exec ${container} ctl`;
  return [
    `Fairlead ${version} serves the containers of ${engine}`,
    `  page      ${url}/#code=${code}`,
    `            (the code ${code} signs one browser in, within 15 minutes; for another: ${ctl} sign-in)`,
    `  terminal  ${container === undefined ? "npx ctl" : ctl} ps`,
    ...(elsewhere ? fromElsewhere(elsewhere, tokenFile) : []),
    `  end       ${container === undefined ? "Ctrl-C" : `docker stop ${container}`}`,
    "",
  ].join("\n");
}

function fromElsewhere({ server, pin, unknown }: Elsewhere, tokenFile: string): string[] {
  return [
    `  elsewhere ctl --server ${server} --pin ${pin} --token-file TOKEN ps`,
    `            (TOKEN is a copy of ${tokenFile})`,
    ...(unknown
      ? [`            (first start this with -e FAIRLEAD_PUBLIC_URLS=${server}, HOST being this host's name)`]
      : []),
  ];
}
