/** The command line: all commands, the options they share, and what happens when it is not understood. */

import { Command, CommanderError } from "commander";
import { attachCommand } from "./commands/attach.ts";
import { completionCommand } from "./commands/completion.ts";
import { auditCommand } from "./commands/audit.ts";
import { cpCommand } from "./commands/cp.ts";
import { contextCommand } from "./commands/context.ts";
import type { Entry } from "./commands/entry.ts";
import { eventsCommand } from "./commands/events.ts";
import { execCommand } from "./commands/exec.ts";
import { describeCommand, getCommand } from "./commands/get.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { removeCommand, restartCommand, startCommand, stopCommand } from "./commands/lifecycle.ts";
import { loginCommand } from "./commands/login.ts";
import { logsCommand } from "./commands/logs.ts";
import { nodesCommand } from "./commands/nodes.ts";
import { openCommand } from "./commands/open.ts";
import { portForwardCommand } from "./commands/port-forward.ts";
import { psCommand } from "./commands/ps.ts";
import { shellCommand } from "./commands/shell.ts";
import { signInCommand } from "./commands/sign-in.ts";
import { tokensCommand } from "./commands/tokens.ts";
import { topCommand } from "./commands/top.ts";
import { versionCommand } from "./commands/version.ts";
import { completions } from "./completion.ts";
import { EXIT_FAILURE } from "./failure.ts";
import type { Globals, Invocation } from "./invocation.ts";
import { VERSION } from "./version.ts";

/** Followed by the words of a command line up to the cursor. */
const COMPLETE = "complete";

const HELP = ["help [command...]", "explain a command"] as const;

const EPILOGUE = `
A container is named by its id, a short id, its name, project/service or project/service/N; behind a server with its
node in front, as NODE:container.
On the agent's own machine nothing has to be set up. Elsewhere FAIRLEAD_SERVER, FAIRLEAD_TOKEN_FILE and FAIRLEAD_PIN,
or server:, token_file: and pin: in ~/.config/fairlead/ctl.yaml, save the options.

Exit codes: that of the command in the container; 125 Fairlead's own failure, 126 and 127 a command that cannot be
executed or found, 2 a mistake on the command line, 128+n ended by signal n.`;

/** Carries out one command line; resolves with the exit code, or rejects with what went wrong. */
export async function runProgram(invocation: Invocation, args: readonly string[]): Promise<number> {
  let exit = EXIT_FAILURE;
  const program = shape(new Command("ctl"), invocation)
    .description("Logs, shells and ports of the containers on a host.")
    .version(VERSION, "-V, --version", "print the version of ctl")
    .helpCommand(...HELP)
    .enablePositionalOptions()
    .addHelpText("after", EPILOGUE);
  const add = (parent: Command, entry: Entry): void => {
    const { command } = entry;
    parent.addCommand(shape(command, invocation));
    if ("entries" in entry) {
      command.helpCommand(...HELP);
      return entry.entries.forEach((each) => add(command, each));
    }
    command.action(async (...given: unknown[]) => {
      invocation.globals = command.optsWithGlobals<Globals>();
      exit = await entry.work(...(given as never[]));
    });
  };
  for (const entry of commands(invocation)) add(program, entry);
  const [first, ...words] = args;
  // Asked by shells at each key: not a command, so that no option can get in the way of the words.
  if (first === COMPLETE) return complete(program, words, invocation);
  try {
    await program.parseAsync(first === "help" ? explained(program, words) : [...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError && error.exitCode === 0)) throw error;
    exit = 0; // --help and --version end like this
  }
  return exit;
}

/** `help A B` is `A B --help`; what is no command is told as it is without `help`. */
function explained(program: Command, words: readonly string[]): string[] {
  let at = program;
  for (const [index, word] of words.entries()) {
    const inner = at.commands.find((each) => each.name() === word || each.aliases().includes(word));
    if (!inner) return at.commands.length > 0 ? words.slice(0, index + 1) : [...words.slice(0, index), "--help"];
    at = inner;
  }
  return [...words, "--help"];
}

async function complete(program: Command, words: readonly string[], invocation: Invocation): Promise<number> {
  const found = await completions(program, words, invocation);
  await invocation.stdout.write(found.map((each) => `${each}\n`).join(""));
  return 0;
}

function commands(invocation: Invocation): Entry[] {
  return [
    psCommand(invocation),
    logsCommand(invocation),
    execCommand(invocation),
    attachCommand(invocation),
    portForwardCommand(invocation),
    openCommand(invocation),
    startCommand(invocation),
    stopCommand(invocation),
    restartCommand(invocation),
    removeCommand(invocation),
    inspectCommand(invocation),
    auditCommand(invocation),
    topCommand(invocation),
    eventsCommand(invocation),
    cpCommand(invocation),
    shellCommand(invocation),
    loginCommand(invocation),
    contextCommand(invocation),
    getCommand(invocation),
    describeCommand(invocation),
    nodesCommand(invocation),
    tokensCommand(invocation),
    signInCommand(invocation),
    completionCommand(invocation),
    versionCommand(invocation),
  ];
}

/** The options go before or after the name of the command. */
function shape(command: Command, invocation: Invocation): Command {
  const { stdout, stderr, messages } = invocation;
  // `rm -v` is what it is everywhere else.
  const verbose = command.options.some(({ short }) => short === "-v") ? "--verbose" : "-v, --verbose";
  return command
    .optionsGroup("Options of every command:")
    .option("--server <url>", "the agent or server (default: the agent of this machine)")
    .option("--context <name>", "a server that has a name: see ctl context")
    .option("--token <token>", "what lets you in; other users of this machine can see it here, so prefer a file")
    .option("--token-file <path>", "a file with the token, readable by you alone")
    .option("--pin <pin>", "what the server's key must be: the sha256:... that it printed at its start")
    .option("--insecure-plaintext", "allow http to another machine")
    .option("--no-direct", "through the server, also to a host that could be dialled")
    .option(verbose, "explain on standard error what is being done")
    .option("--no-color", "no colours (also: NO_COLOR)")
    .helpOption("-h, --help", "explain this command")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void stdout.write(text).catch(() => {}),
      writeErr: (text) => void stderr.write(text).catch(() => {}),
      outputError: (text) => messages.say(sentence(text)),
    });
}

/** Commander begins with `error: ` and ends without a full stop. */
function sentence(text: string): string {
  const words = text
    .trim()
    .replace(/^error: /, "")
    .replaceAll(/\s*\n\s*/g, " ");
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.?!)]$/.test(words) ? "" : "."} Try --help.`;
}
