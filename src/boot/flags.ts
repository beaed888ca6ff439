/** Reads a command line in the ways people of both schools write one: `--name value`, `--name=value`, and Go's `-name value`. */

import { nearest } from "./nearest.ts";
import { flagsOf, type Program, type Table } from "./setting.ts";

/** Flags of every program that are not settings. */
const REQUESTS = ["help", "version", "print-config"] as const;
export type Request = (typeof REQUESTS)[number];

/** What one flag stands for. */
type Meaning =
  | { kind: "request"; request: Request }
  | { kind: "value"; key: string; list: boolean }
  | { kind: "switch"; key: string; value: string };

interface Flag {
  key: string;
  value: string;
  /** As it was written, e.g. `-S`. */
  name: string;
}

export interface CommandLine {
  flags: Flag[];
  /** The path given with `--config`. */
  config?: string;
  request?: Request;
  problems: string[];
}

const CONFIG = "config";

/** Never throws: what is wrong is in `problems`, and the rest is read all the same. */
export function readCommandLine(program: Program<Table>, argv: readonly string[]): CommandLine {
  const meanings = meaningsOf(program);
  const line: CommandLine = { flags: [], problems: [] };
  const rest = [...argv];
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    const [, name = "", value] = /^(--?[^=]+)(?:=(.*))?$/s.exec(arg) ?? [];
    if (name === "--" || name === "") line.problems.push(...unexpected(name === "--" ? rest.splice(0) : [arg]));
    else take(line, { name, value, meaning: meanings.get(canonical(name)), rest, meanings });
  }
  return line;
}

interface Given {
  name: string;
  value: string | undefined;
  meaning: Meaning | undefined;
  rest: string[];
  meanings: ReadonlyMap<string, Meaning>;
}

function take(line: CommandLine, { name, value, meaning, rest, meanings }: Given): void {
  const next = rest[0];
  const nextIsFlag = next !== undefined && /^-./.test(next) && meanings.has(canonical(next.split("=")[0] ?? ""));
  if (meaning === undefined) {
    line.problems.push(unknown(name, meanings));
    // Most likely its value: complaining about that too would hide the one mistake.
    if (value === undefined && next !== undefined && !next.startsWith("-")) rest.shift();
  } else if (meaning.kind === "request") {
    line.request ??= meaning.request;
  } else if (meaning.kind === "switch") {
    if (value !== undefined && meaning.value === "false") line.problems.push(`flag ${name} takes no value`);
    else line.flags.push({ key: meaning.key, value: value ?? meaning.value, name });
  } else if (value === undefined && (next === undefined || nextIsFlag)) {
    line.problems.push(`flag ${name} needs a value${nextIsFlag ? ` (write ${name}=${next} if that is it)` : ""}`);
  } else {
    set(line, meaning, { key: meaning.key, name, value: value ?? rest.shift() ?? "" });
  }
}

/** The last one given wins; a list grows. */
function set(line: CommandLine, { list }: { list: boolean }, flag: Flag): void {
  const earlier = line.flags.find(({ key }) => key === flag.key);
  if (flag.key === CONFIG) line.config = flag.value;
  else if (list && earlier) earlier.value += `,${flag.value}`;
  else line.flags.push(flag);
}

function meaningsOf(program: Program<Table>): Map<string, Meaning> {
  const meanings = new Map<string, Meaning>(REQUESTS.map((request) => [`--${request}`, { kind: "request", request }]));
  meanings.set("-h", { kind: "request", request: "help" });
  for (const name of ["--config", "-c"]) meanings.set(name, { kind: "value", key: CONFIG, list: false });
  for (const [key, { type, short }] of Object.entries(program.settings)) {
    const names = flagsOf(program, key).map((name) => `--${name}`);
    if (short !== undefined) names.push(`-${short}`);
    for (const name of names) {
      if (type.form === "switch") meanings.set(name, { kind: "switch", key, value: "true" });
      else meanings.set(name, { kind: "value", key, list: type.form === "list" });
      if (type.form === "switch") meanings.set(name.replace(/^-+/, "--no-"), { kind: "switch", key, value: "false" });
    }
  }
  return meanings;
}

/** `-server_url` and `--server-url` are the same flag; a single letter keeps its single dash. */
function canonical(name: string): string {
  const bare = name.replace(/^--?/, "").replaceAll("_", "-");
  return bare.length === 1 && !name.startsWith("--") ? `-${bare}` : `--${bare}`;
}

function unknown(name: string, meanings: ReadonlyMap<string, Meaning>): string {
  const guess = nearest(canonical(name), meanings.keys());
  return `unknown flag ${JSON.stringify(name)}${guess ? `; did you mean ${guess}?` : "; --help lists them all"}`;
}

function unexpected(args: readonly string[]): string[] {
  return args.map((arg) => `unexpected argument ${JSON.stringify(arg)}; every setting is given with a flag`);
}
