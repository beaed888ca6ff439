/** `ctl shell`: works on the host itself. */

import { Command } from "commander";
import type { ShellBody } from "../../protocol/open.ts";
import { Conversation } from "../conversation.ts";
import { UsageError } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { addLasting, type Lasting, sessionOptions } from "../lasting.ts";
import { LinkStatus } from "../link-status.ts";
import { nodeOf } from "../place.ts";
import type { Entry } from "./entry.ts";

interface Options extends Lasting {
  node?: string;
  interactive?: boolean;
  tty?: boolean;
}

/** At so many Ctrl-C `ctl` ends, and the command with it; those before go to the command. */
const PATIENCE = 2;
const TERMINAL_NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$/;

const EXAMPLES = `
Examples:
  ctl shell                          a login shell on the agent's host
  ctl shell --node box               on a node of the server's
  ctl shell -- df -h                 one command, without a terminal
  ctl shell -it -- htop              one command with a terminal
  ctl shell < script.sh              the shell reads what to do from here

Needs host_shell in the agent's configuration, and the right host-shell. It runs as the agent's own user or as
host_shell_user; ctl -v shell tells who that is. The exit code is the command's.

When the connection breaks, ctl connects again and nothing is lost: with a terminal the shell waits 60 s for that
(--keep). Whatever it started is ended with it when that time passes; after an exit of its own, what was sent to the
background with nohup goes on, as after every login.`;

export function shellCommand(invocation: Invocation): Entry {
  const command = new Command("shell")
    .description("Open a shell on the host itself.")
    .argument("[command...]", "a command and its arguments instead of a shell")
    .option("-i, --interactive", "pass standard input on (a shell always does)")
    .option("-t, --tty", "give the command a terminal (a shell has one if you do)");
  command.option("--node <node>", "on this node of the server's");
  addLasting(command).passThroughOptions().addHelpText("after", EXAMPLES);
  return { command, work: (words: string[], options: Options) => shell(invocation, words, options) };
}

async function shell(invocation: Invocation, words: string[], options: Options): Promise<number> {
  const body = bodyOf(invocation, words, options);
  const status = new LinkStatus(invocation.messages);
  const client = (await invocation.connection()).client(status);
  const session = await client.shell(body, { ...nodeOf(options), ...sessionOptions(options) });
  invocation.messages.explain(() => `session ${session.id} on the host, as ${session.user}`);
  const proxied: NodeJS.Signals[] = body.tty && body.stdin ? [] : ["SIGINT"];
  const talk = { session, client, status, stdin: body.stdin, tty: body.tty, proxied, patience: PATIENCE };
  return new Conversation(talk, invocation).run();
}

function bodyOf({ terminal, world }: Invocation, command: string[], options: Options): ShellBody {
  const isShell = command.length === 0;
  const { interactive: stdin = isShell, tty = isShell && terminal.hasKeyboard } = options;
  if (stdin && tty && !terminal.hasKeyboard)
    throw new UsageError("Standard input is not a terminal. Leave out -t to pass it on as it is.");
  const size = tty ? terminal.size : undefined;
  const { TERM: term = "" } = world.env;
  return { command, tty, stdin, ...(tty && TERMINAL_NAME.test(term) && { term }), ...(size && { size }) };
}
