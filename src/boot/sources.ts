/** Turns a configuration file, `.env` and the environment into values by key, each with the words that say where it stood. */

import { parseEnv } from "node:util";
import { LineCounter, parseDocument } from "yaml";
import { nearest } from "./nearest.ts";
import { type Program, type Table, variablesOf } from "./setting.ts";

/** A misspelt variable may differ this much from one of ours; more is somebody else's. */
const MAX_MISSPELLING = 2;
/** Any user of the host may read. */
const WORLD_READABLE = 0o004;

export type Source = "default" | "file" | ".env" | "environment" | "flag";

/** A value as one source has it, before anybody looked at what it is. */
export interface Found {
  key: string;
  raw: unknown;
  source: Source;
  /** Names the place for people, e.g. `environment NODE_NAME`. */
  place: string;
  /** The name is not ours alone: a value that does not fit is somebody else's. */
  shared?: boolean;
}

export interface FileContent {
  path: string;
  text: string;
  /** Permission bits. */
  mode: number;
}

/** Weakest first. */
export interface Reading {
  found: Found[];
  problems: string[];
  warnings: string[];
}

/** Keys and their aliases; anything else is a problem. */
export function readConfigFile(program: Program<Table>, file: FileContent): Reading {
  return readFile(program, file, keysByName(program));
}

/** The same, where a setting may also have the name of its variable. */
export function readPersonalFile(program: Program<Table>, file: FileContent): Reading {
  const variables = Object.keys(program.settings).flatMap((key) =>
    variablesOf(program, key).map(({ name }) => [name, key] as const),
  );
  return readFile(program, file, new Map([...keysByName(program), ...variables]));
}

function readFile(
  program: Program<Table>,
  { path, text, mode }: FileContent,
  names: ReadonlyMap<string, string>,
): Reading {
  const reading: Reading = { found: [], problems: [], warnings: [] };
  const taken = new Map<string, string>();
  for (const [name, raw] of Object.entries(parseFile(path, text, reading.problems))) {
    const key = names.get(name);
    if (key === undefined) {
      const guess = nearest(name.replaceAll("-", "_"), names.keys());
      reading.problems.push(`${path}: unknown key ${JSON.stringify(name)}${guess ? `; did you mean ${guess}?` : ""}`);
      continue;
    }
    const twin = taken.get(key);
    if (twin !== undefined) reading.problems.push(`${path}: ${twin} and ${name} are the same setting; keep one`);
    taken.set(key, name);
    reading.found.push({ key, raw, source: "file", place: `${path}: ${name}` });
  }
  reading.problems.push(...exposed(program, reading.found, { path, mode }));
  return reading;
}

/** A `.env` file may be shared with Compose and others, so names that are not ours are passed over. */
export function readDotEnv(program: Program<Table>, { path, text, mode }: FileContent): Reading {
  const reading = readVariables(program, parseEnv(text), { source: ".env", label: path });
  reading.problems.push(...exposed(program, reading.found, { path, mode }));
  return reading;
}

export function readEnvironment(program: Program<Table>, env: Readonly<Record<string, string | undefined>>): Reading {
  return readVariables(program, env, { source: "environment", label: "environment" });
}

interface Label {
  source: Source;
  label: string;
}

function readVariables(
  program: Program<Table>,
  variables: Readonly<Record<string, string | undefined>>,
  { source, label }: Label,
): Reading {
  const known = Object.keys(program.settings).flatMap((key) => variablesOf(program, key).map(({ name }) => name));
  const found = Object.keys(program.settings).flatMap((key) =>
    variablesOf(program, key)
      .toReversed()
      .flatMap(({ name, shared }): Found[] => {
        const raw = variables[name];
        return raw === undefined ? [] : [{ key, raw, source, place: `${label} ${name}`, shared }];
      }),
  );
  const warnings = Object.keys(variables).flatMap((name) => {
    if (!name.startsWith(program.prefix) || known.includes(name)) return [];
    const guess = nearest(name, known, MAX_MISSPELLING);
    return guess ? [`${label} ${name} is not known; did you mean ${guess}?`] : [];
  });
  return { found, problems: [], warnings };
}

function keysByName(program: Program<Table>): Map<string, string> {
  const entries = Object.entries(program.settings);
  return new Map(entries.flatMap(([key, { aliases = [] }]) => [key, ...aliases].map((name) => [name, key] as const)));
}

/** The top-level map of a YAML file; an empty file is an empty map. */
function parseFile(path: string, text: string, problems: string[]): Record<string, unknown> {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
    const { line, col } = lineCounter.linePos(pos[0]);
    // What follows a colon quotes the file, which may be a secret.
    problems.push(`${path}:${line}:${col}: not valid YAML: ${message.split(":")[0]} (${code})`);
  }
  if (problems.length > 0) return {};
  let content: unknown;
  try {
    content = document.toJS() ?? {};
  } catch {
    // Aliases are resolved only now, and may turn out not to exist or to be a bomb.
    problems.push(
      `${path}: an alias (*name) has no anchor (&name) or repeats too much; quote a text that starts with *`,
    );
    return {};
  }
  if (typeof content === "object" && content !== null && !Array.isArray(content)) return { ...content };
  problems.push(`${path}: must hold lines of the form "key: value"`);
  return {};
}

function exposed(program: Program<Table>, found: readonly Found[], file: { path: string; mode: number }): string[] {
  if ((file.mode & WORLD_READABLE) === 0) return [];
  const secrets = found.filter(({ key, raw }) => program.settings[key]?.secret?.(raw));
  return secrets.map(
    ({ place }) => `${place} is a secret, and every user of this host can read the file; run: chmod 600 ${file.path}`,
  );
}
