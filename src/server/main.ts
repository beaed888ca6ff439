/** The program `fairlead server`. */

import { hostname } from "node:os";
import { join } from "node:path";
import project from "../../package.json" with { type: "json" };
import { run, runOnce } from "../boot/run.ts";
import { serverProgram } from "./config.ts";
import { DATABASE_FILE, Server } from "./server.ts";
import { backup } from "./store/backup.ts";

const { version } = project;

const program = serverProgram(version);
const [command, file, ...flags] = process.argv.slice(2);

if (command !== "backup") await serve();
else if (file === undefined || file.startsWith("-")) {
  process.stderr.write("Usage: fairlead server backup FILE [flags of the server, such as --data-dir]\n");
  process.exitCode = 2;
} else await runOnce(program, flags, ({ data_dir: directory }) => backup(join(directory, DATABASE_FILE), file));

function serve(): Promise<void> {
  return run({
    program,
    start: async ({ config, log }) => {
      const server = await Server.start({ config, log, version });
      process.stdout.write(welcome(server));
      return server;
    },
  });
}

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
