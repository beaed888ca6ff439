/** `ctl exec`: runs a command in a container. */

import { Command, InvalidArgumentError } from "commander";
import type { ExecBody } from "../../protocol/open.ts";
import { Conversation } from "../conversation.ts";
import { UsageError } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { addLasting, type Lasting, sessionOptions } from "../lasting.ts";
import { LinkStatus } from "../link-status.ts";
import { nodeOf, placeOf } from "../place.ts";
import type { Entry } from "./entry.ts";

interface Options extends Lasting {
  interactive?: boolean;
  tty?: boolean;
  user?: string;
  workdir?: string;
  env?: string[];
}

/** At so many Ctrl-C `ctl` ends, and the command with it; those before go to the command. */
const PATIENCE = 2;

const EXAMPLES = `
Examples:
  ctl exec -it web sh                       a shell
  ctl exec web ls -l /srv                   one command; options after the container are the command's own
  tar c . | ctl exec -i web tar x -C /srv   bytes go through as they are, and so does the end of input
  ctl exec web cat /etc/passwd | wc -l      standard output and standard error stay apart

The exit code is the command's. With -t Ctrl-C and Ctrl-Z go to the command. Without it the first Ctrl-C is sent
to the command as SIGINT and the second one ends it.

When the connection breaks, ctl connects again and nothing is lost. A command with -t waits 60 s for that (--keep),
one without is ended at once (--on-drop). Typing Enter ~ . while there is no connection gives up.`;

export function execCommand(invocation: Invocation): Entry {
  const command = new Command("exec")
    .description("Run a command in a container.")
    .argument("<container>", "its id, name or project/service")
    .argument("<command...>", "the command and its arguments")
    .option("-i, --interactive", "pass standard input on")
    .option("-t, --tty", "give the command a terminal")
    .option("-u, --user <user>", "run as this user: NAME, UID or UID:GID")
    .option("-w, --workdir <directory>", "run in this directory", absolute)
    .option("-e, --env <name=value>", "set a variable; NAME alone takes it from here; may be repeated", collect);
  addLasting(command).passThroughOptions().addHelpText("after", EXAMPLES);
  return {
    command,
    work: (container: string, words: string[], options: Options) => exec(invocation, container, { ...options, words }),
  };
}

async function exec(
  invocation: Invocation,
  container: string,
  options: Options & { words: string[] },
): Promise<number> {
  const body = bodyOf(invocation, options);
  const status = new LinkStatus(invocation.messages);
  const client = (await invocation.connection()).client(status);
  const place = placeOf(container);
  const session = await client.exec(place.container, body, { ...nodeOf(place), ...sessionOptions(options) });
  invocation.messages.explain(
    () => `session ${session.id} in container ${session.container?.name} (${session.container?.id})`,
  );
  const proxied: NodeJS.Signals[] = body.tty && body.stdin ? [] : ["SIGINT"];
  const talk = { session, client, status, stdin: body.stdin, tty: body.tty, proxied, patience: PATIENCE };
  return new Conversation(talk, invocation).run();
}

function bodyOf({ terminal, world }: Invocation, options: Options & { words: string[] }): ExecBody {
  const { interactive: stdin = false, tty = false, user, workdir, words } = options;
  if (stdin && tty && !terminal.hasKeyboard)
    throw new UsageError("Standard input is not a terminal. Leave out -t to pass it on as it is.");
  const env = (options.env ?? []).flatMap((each) => variable(each, world.env));
  const size = tty ? terminal.size : undefined;
  return {
    // `ctl exec web -- ls` is what people used to kubectl write.
    command: words[0] === "--" ? words.slice(1) : words,
    tty,
    stdin,
    ...(user !== undefined && { user }),
    ...(workdir !== undefined && { workdir }),
    ...(env.length > 0 && { env }),
    ...(size && { size }),
  };
}

/** A name alone has its value here; a name that has none here is left out, as docker does. */
function variable(text: string, env: NodeJS.ProcessEnv): string[] {
  if (text.includes("=")) return [text];
  const value = env[text];
  return value === undefined ? [] : [`${text}=${value}`];
}

function collect(value: string, earlier: string[] = []): string[] {
  if (!/^[A-Za-z_][A-Za-z0-9_]*(=|$)/.test(value)) throw new InvalidArgumentError("Write it as NAME=value.");
  return [...earlier, value];
}

function absolute(path: string): string {
  if (!path.startsWith("/")) throw new InvalidArgumentError("The directory must begin with a slash.");
  return path;
}
