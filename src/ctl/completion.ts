/** What may stand where the cursor is on a command line: asked by the shells, which want it at once or not at all. */

import type { Argument, Command, Option } from "commander";
import { ContainerList } from "../protocol/container.ts";
import { FairleadError } from "../protocol/errors.ts";
import { NodeList } from "../protocol/node.ts";
import { apiOf } from "../protocol/version.ts";
import type { Connection } from "./connection.ts";
import { LOCAL, readContexts } from "./connection/contexts.ts";
import type { Globals, Invocation } from "./invocation.ts";

/** Milliseconds; nobody waits longer for a key to have its effect. */
const DEADLINE_MS = 1_000;
/** What arguments and values of options are, by the name that their command gives them. */
const LIVE: Record<string, (invocation: Invocation, last: string) => Promise<string[]>> = {
  container: async (invocation, last) => containers(await invocation.connection(), last),
  source: (invocation, last) => ends(invocation, last),
  destination: (invocation, last) => ends(invocation, last),
  node: async (invocation) => nodes(await invocation.connection()),
  context: async ({ world }) => [...Object.keys((await readContexts(world.env)).contexts), LOCAL],
};

/** Where a command line stands before its last word. */
interface Position {
  command: Command;
  operands: number;
  /** The last word is the value of this option. */
  option?: Option | undefined;
  given: Globals;
}

/** The words that the last of these may become, in no certain order. Never rejects: silence is the answer to every failure. */
export async function completions(
  program: Command,
  words: readonly string[],
  invocation: Invocation,
): Promise<string[]> {
  const last = words.at(-1) ?? "";
  const position = follow(program, words.slice(0, -1));
  const late = new Promise<string[]>((resolve) => setTimeout(() => resolve([]), DEADLINE_MS).unref());
  const found = await Promise.race([candidates(position, last, invocation).catch(() => []), late]);
  return found.filter((each) => each.startsWith(last));
}

function follow(program: Command, words: readonly string[]): Position {
  const at: Position = { command: program, operands: 0, given: {} };
  for (const word of words) {
    if (at.option) {
      Object.assign(at.given, { [at.option.attributeName()]: word });
      at.option = undefined;
    } else if (word.startsWith("-")) {
      const [name, value] = word.startsWith("--") ? word.split(/=(.*)/s) : [word];
      const option = at.command.options.find(({ long, short }) => long === name || short === name);
      if (!option?.required) continue;
      if (value === undefined) at.option = option;
      else Object.assign(at.given, { [option.attributeName()]: value });
    } else {
      const inner = at.command.commands.find((each) => each.name() === word);
      if (inner) at.command = inner;
      else at.operands += 1;
    }
  }
  return at;
}

async function candidates({ command, operands, option, given }: Position, last: string, invocation: Invocation) {
  invocation.globals = given;
  const [, long, begun = ""] = /^(--[^=]+)=(.*)$/s.exec(last) ?? [];
  const inside = command.options.find((each) => each.long === long);
  if (inside) return (await valuesOf(inside, begun, invocation)).map((value) => `${long}=${value}`);
  if (option) return valuesOf(option, last, invocation);
  if (last.startsWith("-")) return command.options.flatMap(({ long: name, hidden }) => (name && !hidden ? [name] : []));
  if (command.commands.length > 0) return command.commands.map((each) => each.name());
  const { registeredArguments: all } = command;
  const argument = all[operands] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined);
  return argument ? valuesOf(argument, last, invocation) : [];
}

/** Of an option or an argument: those that are written down, or what there is. */
async function valuesOf(wanted: Option | Argument, last: string, invocation: Invocation): Promise<string[]> {
  const name = "attributeName" in wanted ? wanted.attributeName() : wanted.name();
  const live = Object.hasOwn(LIVE, name) ? LIVE[name] : undefined;
  return wanted.argChoices ?? (await live?.(invocation, last)) ?? [];
}

/** Of an agent its own; of a server its nodes, and once one stands before a colon the containers there. */
async function containers(connection: Connection, last: string): Promise<string[]> {
  const [, node] = /^([^:]+):/.exec(last) ?? [];
  if (node === undefined) {
    const hosts = await nodes(connection).catch(absent);
    if (hosts) return hosts.map((each) => `${each}:`);
  }
  const before = node === undefined ? "" : `${node}:`;
  const list = ContainerList.parse(await connection.get(`${apiOf(node)}/containers`));
  return list.containers.map(({ name }) => before + name);
}

/** Of a copy: once something is typed that may begin a container's name; else the shell offers files. */
async function ends(invocation: Invocation, last: string): Promise<string[]> {
  if (!/^[^./~-][^/]*$/.test(last)) return [];
  const found = await containers(await invocation.connection(), last);
  return found.map((each) => (each.endsWith(":") ? each : `${each}:`));
}

/** An agent has no nodes. */
function absent(error: unknown): undefined {
  if (!(error instanceof FairleadError) || error.code !== "not-found") throw error;
}

async function nodes(connection: Connection): Promise<string[]> {
  return NodeList.parse(await connection.get("/api/v1/nodes")).nodes.map(({ name }) => name);
}
