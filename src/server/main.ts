/** The program `fairlead server`. */

import { hostname } from "node:os";
import project from "../../package.json" with { type: "json" };
import { run } from "../boot/run.ts";
import { serverProgram } from "./config.ts";
import { Server } from "./server.ts";

const { version } = project;

await run({
  program: serverProgram(version),
  start: async ({ config, log }) => {
    const server = await Server.start({ config, log, version });
    process.stdout.write(welcome(server));
    return server;
  },
});

function welcome({ url, pin, code }: Server): string {
  const address = url.replace("localhost", hostname());
  return [
    `Fairlead server ${version} at ${address}`,
    ...(pin ? [`  pin       ${pin}`] : []),
    ...(code
      ? [
          `  log in    ctl login ${address} --code ${code}`,
          "            (the code lets one administrator in, within 15 minutes)",
        ]
      : [`  log in    ctl login ${address}`]),
    "  end       Ctrl-C",
    "",
  ].join("\n");
}
