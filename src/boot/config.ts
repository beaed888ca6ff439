/** Merges defaults, configuration file, `.env`, environment and flags into one value for each setting; pure, so that tests can give it anything. */

import { join } from "node:path";
import { inspect } from "node:util";
import { type CommandLine, type Request, readCommandLine } from "./flags.ts";
import type { Host, Program, Setting, Table, ValuesOf } from "./setting.ts";
import {
  type FileContent,
  type Found,
  type Reading,
  readConfigFile,
  readDotEnv,
  readEnvironment,
  readPersonalFile,
  type Source,
} from "./sources.ts";

/** Enough of a wrong value to recognise it. */
const MAX_SHOWN = 60;

export interface Inputs {
  argv: readonly string[];
  host: Host;
  /** `undefined` when there is no such file; throws an error with words when it cannot be read. */
  read: (path: string) => FileContent | undefined;
}

/** Where a value comes from, for people. */
interface Origin {
  source: Source;
  place: string;
}

export interface Loaded<T extends Table> {
  values: ValuesOf<T>;
  origins: { [K in keyof T]: Origin };
  warnings: string[];
}

/** Everything that is wrong with a configuration, told together. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** What the command line asks for instead of running, whatever else is on it. */
export function requested(program: Program<Table>, argv: readonly string[]): Request | undefined {
  return readCommandLine(program, argv).request;
}

/** Throws {@link ConfigError} with every problem of every source. */
export function loadConfig<T extends Table>(program: Program<T>, inputs: Inputs): Loaded<T> {
  const line = readCommandLine(program, inputs.argv);
  const problems = [...line.problems];
  const warnings: string[] = [];
  const found: Found[] = [];
  const readings = readAll(program, line, inputs);
  for (const reading of [...readPersonal(program, readings, inputs), ...readings]) {
    found.push(...reading.found);
    problems.push(...reading.problems);
    warnings.push(...reading.warnings);
  }
  const { values, origins } = settle(program, inputs.host, { found, problems, warnings });
  if (problems.length === 0) problems.push(...(program.check?.(values as ValuesOf<T>) ?? []));
  if (problems.length > 0) throw new ConfigError(problems);
  return { values: values as ValuesOf<T>, origins: origins as Loaded<T>["origins"], warnings };
}

/** The files that are looked for when none is named; the first one that exists is the only one read. */
export function configPlaces(
  { directory, file, managedFile }: Pick<Program<Table>, "directory" | "file" | "managedFile">,
  host: Host,
): string[] {
  const managed = [file, ...(managedFile ? [managedFile] : [])].map((name) => join("/etc", directory, name));
  return [join(host.cwd, file), join(personalDirectory({ directory }, host), file), ...managed];
}

function personalDirectory({ directory }: Pick<Program<Table>, "directory">, { home, env }: Host): string {
  return join(env["XDG_CONFIG_HOME"] || join(home, ".config"), directory);
}

/** Weakest first; none where everything else says that they are not wanted. */
function readPersonal<T extends Table>(program: Program<T>, others: Reading[], { host, read }: Inputs): Reading[] {
  const found = others.flatMap((reading) => reading.found);
  const { values } = settle(program, host, { found, problems: [], warnings: [] });
  if (!program.isPersonal?.(values as ValuesOf<T>)) return [];
  return (program.personalFiles ?? []).map((name) => {
    const problems: string[] = [];
    const file = attempt(() => read(join(personalDirectory(program, host), name)), problems);
    return file ? readPersonalFile(program, file) : { found: [], problems, warnings: [] };
  });
}

/** Weakest first: file, `.env`, environment, flags. */
function readAll(program: Program<Table>, line: CommandLine, inputs: Inputs): Reading[] {
  const problems: string[] = [];
  const dotEnvFile = attempt(() => inputs.read(join(inputs.host.cwd, ".env")), problems);
  const dotEnv = dotEnvFile && readDotEnv(program, dotEnvFile);
  const configFile = attempt(() => openConfig(program, line, inputs), problems);
  const flags = line.flags.map(({ key, value, name }): Found => {
    return { key, raw: value, source: "flag", place: `flag ${name}` };
  });
  const visible = flags.filter(({ key, raw }) => program.settings[key]?.secret?.(raw));
  const warnings = visible.map(
    ({ place }) => `${place} can be seen by every user of this host (ps); use a file instead`,
  );
  return [
    ...(configFile ? [readConfigFile(program, configFile)] : []),
    ...(dotEnv ? [dotEnv] : []),
    readEnvironment(program, inputs.host.env),
    { found: flags, problems, warnings },
  ];
}

/** A file that was named must exist; one that is only looked for need not. */
function openConfig(program: Program<Table>, line: CommandLine, { host, read }: Inputs): FileContent | undefined {
  const variable = [`${program.prefix}CONFIG`, ...program.configVariables].find((name) => host.env[name]);
  const named = line.config ?? (variable && host.env[variable]);
  if (named !== undefined) {
    const file = read(named);
    if (file) return file;
    throw new Error(
      `${line.config === undefined ? `environment ${variable}` : "flag --config"}: ${named} does not exist`,
    );
  }
  for (const place of configPlaces(program, host)) {
    const file = read(place);
    if (file) return file;
  }
  return undefined;
}

/** Every value is looked at, also one that a stronger source overrules: a mistake in a file is one all the same. */
function settle(program: Program<Table>, host: Host, { found, problems, warnings }: Reading) {
  const values: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const [key, definition] of Object.entries(program.settings)) {
    const initial = definition.default;
    values[key] = typeof initial === "function" ? initial(host, values) : initial;
    origins[key] = { source: "default", place: "default" };
    for (const one of found.filter((candidate) => candidate.key === key)) {
      const parsed = definition.type.schema.safeParse(one.raw);
      if (parsed.success) {
        values[key] = parsed.data;
        origins[key] = { source: one.source, place: one.place };
      } else if (one.shared) warnings.push(`${complaint(definition, one)}; ignored, because others use that name too`);
      else problems.push(complaint(definition, one, parsed.error.issues[0]));
    }
  }
  return { values, origins };
}

function complaint({ type, secret }: Setting<unknown>, { place, raw }: Found, issue?: Issue): string {
  const value = secret ? "the value (not shown)" : shown(raw);
  const inside = issue && hint(issue);
  return `${place}: ${value} is not accepted; accepted: ${type.accepts}${inside ? ` (${inside})` : ""}`;
}

interface Issue {
  code: string | undefined;
  path: readonly PropertyKey[];
  message: string;
}

/** Where inside a value the mistake is, and what a check of our own says about it. */
function hint({ code, path, message }: Issue): string {
  if (path.length > 0) return `${path.join(".")}: ${message}`;
  return code === "custom" && message !== "Invalid input" ? message : "";
}

/** A URL that is refused for its password must not tell it. */
function shown(raw: unknown): string {
  const options = { breakLength: Infinity, depth: 2, maxStringLength: MAX_SHOWN, maxArrayLength: 5 };
  return inspect(raw, options).replace(/\/\/[^/\s]*@/g, "//***@");
}

function attempt<T>(work: () => T, problems: string[]): T | undefined {
  try {
    return work();
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
