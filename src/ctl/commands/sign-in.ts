/** `ctl sign-in`: a link that lets a browser in, once. */

import { Command } from "commander";
import * as z from "zod/mini";
import { addressOf } from "../connection/http.ts";
import type { Invocation } from "../invocation.ts";
import type { Entry } from "./entry.ts";

const Code = z.object({ code: z.string(), expires: z.number() });

const EXAMPLES = `
Examples:
  ctl sign-in                     prints the link; it works once and for fifteen minutes
  xdg-open "$(ctl sign-in)"       opens the page`;

export function signInCommand(invocation: Invocation): Entry {
  const command = new Command("sign-in")
    .description("Print a link that signs a browser in, once.")
    .addHelpText("after", EXAMPLES);
  return { command, work: () => signIn(invocation) };
}

async function signIn(invocation: Invocation): Promise<number> {
  const connection = await invocation.connection();
  const { code, expires } = Code.parse(await connection.post("/api/v1/codes"));
  const link = addressOf(connection.server, "/");
  // Behind the # it is sent to no server and stands in no log.
  link.hash = `code=${code}`;
  await invocation.stdout.write(`${link.href}\n`);
  if (invocation.stdout.isTerminal) {
    const minutes = Math.round((expires - Date.now()) / 60_000);
    invocation.messages.say(`Good for one sign-in within ${minutes} minutes.`);
  }
  return 0;
}
