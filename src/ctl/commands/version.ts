/** `ctl version`: which client this is and which server it talks to. */

import { Command } from "commander";
import * as z from "zod/mini";
import { verdictOf } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { type DataFormat, dataText, outputOption } from "../output-format.ts";
import { VERSION } from "../version.ts";
import type { Entry } from "./entry.ts";

interface Options {
  output?: DataFormat;
}

const ServerVersion = z.object({ version: z.string(), node: z.string() });

const EXAMPLES = `
Examples:
  ctl version              of ctl and of the server; fails when the server does not answer
  ctl version -o json`;

export function versionCommand(invocation: Invocation): Entry {
  const command = new Command("version")
    .description("Print the versions of ctl and of the server.")
    .addOption(outputOption(["json", "yaml"]))
    .addHelpText("after", EXAMPLES);
  return { command, work: (options: Options) => version(invocation, options) };
}

/** The client's own version is told in any case. */
async function version(invocation: Invocation, { output }: Options): Promise<number> {
  const { stdout, messages } = invocation;
  const client = { version: VERSION };
  try {
    const connection = await invocation.connection();
    const server = { ...ServerVersion.parse(await connection.get("/api/v1/version")), url: connection.server.url.href };
    const text = `ctl      ${client.version}\nserver   ${server.version} on ${server.node} (${server.url})\n`;
    await stdout.write(output ? await dataText({ client, server }, output) : text);
    return 0;
  } catch (error) {
    await stdout.write(output ? await dataText({ client }, output) : `ctl      ${client.version}\n`);
    const { exit, words } = verdictOf(error);
    messages.say(words ?? String(error));
    return exit;
  }
}
