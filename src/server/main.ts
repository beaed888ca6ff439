/** The program `fairlead server`. */

import { hostname } from "node:os";
import { join } from "node:path";
import project from "../../package.json" with { type: "json" };
import { run, runOnce } from "../boot/run.ts";
import { serverProgram } from "./config.ts";
import { newLogin, type ServerPlace } from "./people/logins.ts";
import { DATABASE_FILE, Server } from "./server.ts";
import { backup } from "./store/backup.ts";

const { version } = project;

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
      const server = await Server.start({ config, log, version });
      process.stdout.write(welcome(server));
      return server;
    },
  });
}

function welcome(server: Server): string {
  const lines = loginLines(server, server.code);
  return [`Fairlead server ${version} at ${addressOf(server.url)}`, ...lines, "  end       Ctrl-C", ""].join("\n");
}

/** `place` is absent where no server has run yet. */
function loginLines(place: ServerPlace | Pick<Server, "url" | "pin"> | undefined, code: string | undefined): string[] {
  const address = place ? addressOf(place.url) : "SERVER";
  return [
    ...(place?.pin ? [`  pin       ${place.pin}`] : []),
    ...(code
      ? [
          `  log in    ctl login ${address} --code ${code}`,
          "            (the code lets one administrator in, within 15 minutes)",
        ]
      : [`  log in    ctl login ${address}`]),
  ];
}

/** As other machines know it, as far as that can be told. */
function addressOf(url: string): string {
  return url.replace("localhost", hostname());
}
