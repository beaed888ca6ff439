/** `ctl context`: names for servers, with the token and the pin of each, and which of them is meant. */

import { resolve } from "node:path";
import { Command } from "commander";
import { readSecretFile } from "../../boot/private-file.ts";
import {
  type Context,
  contextOf,
  contextsFile,
  LOCAL,
  readContexts,
  saveContext,
  writeContexts,
} from "../connection/contexts.ts";
import { checkKept } from "../connection/locate.ts";
import { UsageError } from "../failure.ts";
import type { Globals, Invocation } from "../invocation.ts";
import { type Listing, lister, outputOption } from "../output-format.ts";
import type { OutputFormat } from "../output-format.ts";
import type { Entry } from "./entry.ts";

/** As it is shown: never with its token. */
interface Shown {
  name: string;
  server: string;
  current: boolean;
  pin?: string;
  tokenFile?: string;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/;

const LISTING: Listing<Shown> = {
  headings: ["CURRENT", "NAME", "SERVER"],
  row: ({ name, server, current }) => [current ? "*" : "", name, server],
  wide: {
    headings: ["CURRENT", "NAME", "SERVER", "PIN", "TOKEN"],
    row: ({ name, server, current, pin = "", tokenFile = "kept here" }) => [
      current ? "*" : "",
      name,
      server,
      pin,
      tokenFile,
    ],
  },
  name: ({ name }) => name,
};

const EXAMPLES = `
Examples:
  ctl context add lab --server https://lab:9090 --token-file ~/lab.token --pin sha256:...
  ctl context list
  ctl context use lab       every command means it from now on
  ctl --context lab ps      this one command does (also: FAIRLEAD_CONTEXT=lab)
  ctl context use ${LOCAL}     this machine's own agent again

ctl login adds contexts too. --server and FAIRLEAD_SERVER come before the one in use.`;

export function contextCommand(invocation: Invocation): Entry {
  const command = new Command("context").description("Name servers and choose one.").addHelpText("after", EXAMPLES);
  const named = (name: string, words: string) => new Command(name).description(words).argument("<context>", "its name");
  const entries: Entry[] = [
    {
      command: new Command("add")
        .description("Keep a server under a name, and mean it from now on.")
        .argument("<name>", "the context's name"),
      work: (name: string, _options: unknown, command: Command) => add(invocation, name, command.optsWithGlobals()),
    },
    {
      command: new Command("list").description("List the contexts.").addOption(outputOption()),
      work: ({ output }: { output?: OutputFormat }) => list(invocation, output),
    },
    { command: named("use", "Mean this server from now on."), work: (name: string) => use(invocation, name) },
    { command: named("remove", "Forget a server and its token."), work: (name: string) => remove(invocation, name) },
  ];
  return { command, entries };
}

async function add({ world: { env }, stdout }: Invocation, name: string, wanted: Globals): Promise<number> {
  if (!NAME.test(name) || name === LOCAL)
    throw new UsageError(
      `"${name}" cannot be a context's name. Use letters, digits and . _ : @ -; "${LOCAL}" is this machine's agent.`,
    );
  const { server, token, tokenFile, pin, insecurePlaintext } = wanted;
  if (server === undefined) throw new UsageError("Name the server: ctl context add NAME --server https://host:port.");
  checkKept(wanted);
  if (tokenFile !== undefined) await readSecretFile(tokenFile);
  const context: Context = {
    server,
    ...(token !== undefined && { token }),
    ...(tokenFile !== undefined && { token_file: resolve(tokenFile) }),
    ...(pin !== undefined && { pin }),
    ...(insecurePlaintext && { insecure_plaintext: true }),
  };
  await saveContext(env, name, context, "use");
  await stdout.write(`${name} means ${server}, for every command from now on.\n`);
  return 0;
}

async function list({ world: { env }, stdout }: Invocation, output: OutputFormat | undefined): Promise<number> {
  const { current = LOCAL, contexts } = await readContexts(env);
  const shown = Object.entries(contexts).map(([name, { server, pin, token_file: tokenFile }]): Shown => {
    const known = { ...(pin !== undefined && { pin }), ...(tokenFile !== undefined && { tokenFile }) };
    return { name, server, current: name === current, ...known };
  });
  const local = { name: LOCAL, server: "this machine's own agent", current: current === LOCAL };
  await stdout.write(await lister(LISTING, output)([...shown, local]));
  return 0;
}

async function use({ world: { env }, stdout }: Invocation, name: string): Promise<number> {
  const all = await readContexts(env);
  const server = name === LOCAL ? "this machine's own agent" : contextOf(all, name).server;
  await writeContexts(env, { contexts: all.contexts, ...(name !== LOCAL && { current: name }) });
  await stdout.write(`Every command means ${server} from now on.\n`);
  return 0;
}

async function remove({ world: { env }, stdout }: Invocation, name: string): Promise<number> {
  if (name === LOCAL) throw new UsageError(`There is no context "${LOCAL}" to remove: it is this machine's own agent.`);
  const all = await readContexts(env);
  const { token } = contextOf(all, name);
  const { [name]: _, ...contexts } = all.contexts;
  await writeContexts(env, {
    contexts,
    ...(all.current !== undefined && all.current !== name && { current: all.current }),
  });
  const left = token ? ` Its token is still good where it came from; ${contextsFile(env)} no longer has it.` : "";
  await stdout.write(`${name} is forgotten.${left}\n`);
  return 0;
}
