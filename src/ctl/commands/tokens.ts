/** `ctl tokens`: what lets people and programs in at a server. */

import { Command, Option } from "commander";
import * as z from "zod/mini";
import { age } from "../../lib/age.ts";
import { parseDuration } from "../../lib/duration.ts";
import { TokenList, type TokenRequest, type TokenView } from "../../protocol/login.ts";
import { ALLOWS, parseScope, Right, RIGHTS, type Scope, scopeWords } from "../../protocol/rights.ts";
import { forEach } from "../each.ts";
import { UsageError } from "../failure.ts";
import type { Invocation } from "../invocation.ts";
import { type Listing, lister, type OutputFormat, outputOption } from "../output-format.ts";
import type { Entry } from "./entry.ts";

interface AddOptions {
  rights: string;
  scope?: string[];
  node?: string[];
  lifetime?: string;
}

const PATH = "/api/v1/tokens";
const Added = z.object({ token: z.string() });

const TOKENS: Listing<TokenView> = {
  headings: ["NAME", "RIGHTS", "NODES", "SCOPES", "AGE", "EXPIRES", "BY"],
  row: ({ name, rights, nodes, scopes, created, expires, by }) => [
    name,
    rights.join(","),
    nodes?.join(",") ?? "all",
    scopes.map(scopeWords).join(" ") || "all",
    age(Date.now() - created),
    expires === undefined ? "never" : `in ${age(expires - Date.now())}`,
    by,
  ],
  name: ({ name }) => name,
};

const RIGHT_WIDTH = 12;

const EXAMPLES = `
Examples:
  ctl tokens add ci --rights logs,exec --node box-1 --scope team=web --lifetime 720h > ci.token
  ctl --token-file ci.token logs box-1:web
  ctl tokens list
  ctl tokens remove ci                    what was opened with it ends within seconds`;

const CHOICES = `
Rights:
${RIGHTS.map((right) => `  ${right.padEnd(RIGHT_WIDTH)}${ALLOWS[right]}`).join("\n")}

A scope is labels that a container must all have, as NAME=VALUE,NAME=VALUE (NAME= asks only for the name); of
several scopes one is enough. Without any the token reaches every container, without nodes every host.`;

export function tokensCommand(invocation: Invocation): Entry {
  const command = new Command("tokens")
    .description("Add and withdraw what lets people and programs in at a server.")
    .addHelpText("after", EXAMPLES);
  return { command, entries: [listCommand(invocation), addCommand(invocation), removeCommand(invocation)] };
}

function listCommand(invocation: Invocation): Entry {
  const command = new Command("list").description("List the tokens; never their secrets.").addOption(outputOption());
  const work = async ({ output }: { output?: OutputFormat }) => {
    const { tokens } = TokenList.parse(await (await invocation.connection()).get(PATH));
    await invocation.stdout.write(await lister(TOKENS, output)(tokens));
    return 0;
  };
  return { command, work };
}

function addCommand(invocation: Invocation): Entry {
  const several = (flags: string, words: string) =>
    new Option(flags, words).argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  const command = new Command("add")
    .description("Make a token, and print it this once.")
    .argument("<name>", "what it is for")
    .requiredOption("--rights <list>", "what it may do, such as logs,exec: see below")
    .addOption(several("--scope <labels>", "only containers with these labels; may be repeated"))
    .addOption(several("--node <node>", "only this host; may be repeated"))
    .option("--lifetime <duration>", "such as 720h; without one it is good until it is removed")
    .addHelpText("after", CHOICES);
  return { command, work: (name: string, options: AddOptions) => add(invocation, name, options) };
}

async function add(invocation: Invocation, name: string, options: AddOptions): Promise<number> {
  const { scope = [], node, lifetime } = options;
  const body: TokenRequest = {
    name,
    rights: options.rights.split(",").map(rightOf),
    scopes: scope.map(scopeOf),
    ...(node && { nodes: node }),
    ...(lifetime !== undefined && { lifetime: millisecondsOf(lifetime) }),
  };
  const connection = await invocation.connection();
  const { token } = Added.parse(await connection.send({ method: "POST", path: PATH, body }));
  await invocation.stdout.write(`${token}\n`);
  invocation.messages.say(`This token of ${name} is shown this once: the server keeps only its digest.`);
  return 0;
}

function removeCommand(invocation: Invocation): Entry {
  const command = new Command("remove").description("Withdraw tokens.").argument("<name...>", "their names");
  const work = async (names: string[]) => {
    const connection = await invocation.connection();
    return forEach(invocation, names, async (name) => {
      await connection.send({ method: "DELETE", path: `${PATH}/${encodeURIComponent(name)}` });
      return `${name}\n`;
    });
  };
  return { command, work };
}

function rightOf(text: string): Right {
  const right = Right.safeParse(text.trim());
  if (right.success) return right.data;
  throw new UsageError(`"${text}" is no right. There are: ${RIGHTS.join(", ")}.`);
}

function scopeOf(text: string): Scope {
  const scope = parseScope(text);
  if (scope) return scope;
  throw new UsageError(`"${text}" is no scope. Write NAME=VALUE, and a comma between several labels.`);
}

/** Whole milliseconds. */
function millisecondsOf(lifetime: string): number {
  try {
    return Math.round(parseDuration(lifetime));
  } catch {
    throw new UsageError(`"${lifetime}" is no lifetime. Write a duration such as 90m or 720h.`);
  }
}
