/** What may stand where the cursor is on a command line: asked by the shells, which want it at once or not at all. */

import type { Command, Option } from "commander";
import { ContainerList } from "../protocol/container.ts";
import type { Globals, Invocation } from "./invocation.ts";

/** Milliseconds; nobody waits longer for a key to have its effect. */
const DEADLINE_MS = 1_000;
/** Arguments with these names are containers. */
const CONTAINERS = new Set(["container", "containers"]);

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
      const option = at.command.options.find(({ long, short }) => long === word || short === word);
      if (option?.required) at.option = option;
    } else {
      const inner = at.command.commands.find((each) => each.name() === word);
      if (inner) at.command = inner;
      else at.operands += 1;
    }
  }
  return at;
}

async function candidates({ command, operands, option, given }: Position, last: string, invocation: Invocation) {
  if (option) return option.argChoices ?? [];
  if (last.startsWith("-")) return command.options.flatMap(({ long, hidden }) => (long && !hidden ? [long] : []));
  if (command.commands.length > 0) return command.commands.map((each) => each.name());
  const { registeredArguments: all } = command;
  const argument = all[operands] ?? (all.at(-1)?.variadic ? all.at(-1) : undefined);
  if (argument && CONTAINERS.has(argument.name())) return containers(given, invocation);
  return argument?.argChoices ?? [];
}

/** Live, from the server that the line so far means. */
async function containers(given: Globals, invocation: Invocation): Promise<string[]> {
  invocation.globals = given;
  const connection = await invocation.connection();
  return ContainerList.parse(await connection.get("/api/v1/containers")).containers.map(({ name }) => name);
}
