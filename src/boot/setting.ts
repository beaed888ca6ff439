/** A program's table of settings: the one place that its flags, variables, keys, help and documentation come from. */

import type { ValueType } from "./value.ts";

/** What the machine contributes to defaults and to the search for files. */
export interface Host {
  hostname: string;
  home: string;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** A default that depends on the host or on settings above it in the table. */
type Computed<T> = (host: Host, settled: Readonly<Record<string, unknown>>) => T;

export interface Setting<T> {
  type: ValueType<T>;
  default: T | Computed<T>;
  /** In words, where the default is computed. */
  defaultWords?: string;
  /** One or two sentences for `--help` and the documentation. */
  effect: string;
  /** A flag of one letter. */
  short?: string;
  /** Other names, in files and as flags. */
  aliases?: readonly string[];
  /** The program's own variable where it is not the prefix and the key. */
  variable?: string;
  /** Other variables that mean this and nothing else; the first one that is set wins. */
  variables?: readonly string[];
  /** Variables that other programs use too, and may fill with something else; weaker than the others. */
  sharedVariables?: readonly string[];
  /** Whether a value, as written, gives something away. Where this is present no message shows any value. */
  secret?: (raw: unknown) => boolean;
  /** The value names a file with a secret in it, which must be private when the program starts; it may have to be there. */
  secretFile?: true | "when there";
}

export type Table = Readonly<Record<string, Setting<unknown>>>;

/** The values of a table, by the keys of the table. */
export type ValuesOf<T extends Table> = { [K in keyof T]: T[K] extends Setting<infer V> ? V : never };

/** Lets TypeScript infer the type of the value. */
export function setting<T>(definition: Setting<T>): Setting<T> {
  return definition;
}

/** A program as its users start it. */
export interface Program<T extends Table> {
  /** As typed, e.g. `fairlead agent`. */
  name: string;
  version: string;
  /** One sentence on what it does. */
  summary: string;
  settings: T;
  /** Names the directories in `$XDG_CONFIG_HOME` and `/etc`. */
  directory: string;
  /** Its configuration file, in them and in the current directory. */
  file: string;
  /** Looked for in `/etc` where that is not there. */
  managedFile?: string;
  /** A user's own files beside it in `$XDG_CONFIG_HOME`, weaker than all else. */
  personalFiles?: readonly string[];
  /** Starts the name of each variable, e.g. `FAIRLEAD_`. */
  prefix: string;
  /** Other variables that name the configuration file. */
  configVariables: readonly string[];
  /** Whether a user's own files count, by what everything else says. */
  isPersonal?(values: ValuesOf<T>): boolean;
  /** What no single setting can see: complaints about combinations. */
  check?(values: ValuesOf<T>): string[];
}

/** The variables of a setting, strongest first. */
export function variablesOf(program: Program<Table>, key: string): { name: string; shared: boolean }[] {
  const found = program.settings[key];
  const own = found?.variable ?? program.prefix + key.toUpperCase();
  return [
    ...[own, ...(found?.variables ?? [])].map((name) => ({ name, shared: false })),
    ...(found?.sharedVariables ?? []).map((name) => ({ name, shared: true })),
  ];
}

/** The long flags of a setting without dashes, the main one first. */
export function flagsOf(program: Program<Table>, key: string): string[] {
  return [key, ...(program.settings[key]?.aliases ?? [])].map((name) => name.replaceAll("_", "-"));
}
