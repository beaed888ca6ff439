/** The program `fairlead server`. */

import { join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../package.json" with { type: "json" };
import { run, runOnce } from "../boot/run.ts";
import { serverProgram } from "./config.ts";
import { newLogin, type ServerPlace } from "./people/logins.ts";
import { DATABASE_FILE, Server } from "./server.ts";
import { backup } from "./store/backup.ts";

const { version } = project;

/** The same place seen from src/server and from dist/server. */
const uiDirectory = fileURLToPath(new URL("../../dist/ui", import.meta.url));
const program = serverProgram(version);
const [command, ...rest] = process.argv.slice(2);

if (command === "backup") await copyTo(rest);
else if (command === "login") await letIn(rest);
else await serve();

async function copyTo([file, ...flags]: string[]): Promise<void> {
  if (file !== undefined && !file.startsWith("-"))
    return runOnce(program, flags, ({ data_dir: directory }) => backup(join(directory, DATABASE_FILE), file));
  process.stderr.write("Usage: fairlead server backup FILE [flags of the server, such as --data-dir]\n");
  process.exitCode = 2;
}

async function letIn(flags: string[]): Promise<void> {
  await runOnce(program, flags, async ({ data_dir: directory }) => {
    const { code, place, known } = await newLogin(join(directory, DATABASE_FILE));
    process.stdout.write(loginLines(place, code).concat("").join("\n"));
    if (!known) process.stderr.write("No server runs on this database now; the code is good once one does.\n");
  });
}

function serve(): Promise<void> {
  return run({
    program,
    start: async ({ config, log }) => {
      const server = await Server.start({ config, log, version, pid: process.pid, uiDirectory });
      process.stdout.write(welcome(server));
      return server;
    },
  });
}

function welcome(server: Server): string {
  const { address: url, pin, code } = server;
  const lines = loginLines({ url, ...(pin !== undefined && { pin }) }, code);
  return [`Fairlead server ${version} at ${url}`, ...lines, "  end       Ctrl-C", ""].join("\n");
}

/** `place` is absent where no server has run yet. */
function loginLines(place: ServerPlace | undefined, code: string | undefined): string[] {
  const address = place?.url ?? "SERVER";
  return [
    ...(place?.pin ? [`  pin       ${place.pin}`] : []),
    ...(code
      ? [
          `  page      ${address}/#code=${code}`,
          `  log in    ctl login ${address} --code ${code}`,
          "            (the code lets one administrator in, within 15 minutes; more: ctl sign-in)",
        ]
      : [`  log in    ctl login ${address}`]),
  ];
}
