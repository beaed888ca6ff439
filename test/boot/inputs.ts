/** What a configuration is loaded from, without a file system: the files are texts. */

import { ConfigError, type Inputs, loadConfig } from "../../src/boot/config.ts";
import type { Program, Table } from "../../src/boot/setting.ts";

interface Given {
  argv?: string[];
  env?: Record<string, string>;
  /** The content of ./config.yaml. */
  file?: string;
  /** The content of ./.env. */
  dotEnv?: string;
  /** Other files by path. */
  files?: Record<string, string>;
  /** Permission bits of every file. */
  mode?: number;
}

export function inputs({ argv = [], env = {}, file, dotEnv, files = {}, mode = 0o600 }: Given): Inputs {
  const texts = new Map(Object.entries(files));
  if (file !== undefined) texts.set("/cwd/config.yaml", file);
  if (dotEnv !== undefined) texts.set("/cwd/.env", dotEnv);
  return {
    argv,
    host: { hostname: "box", home: "/home/me", cwd: "/cwd", env },
    read: (path) => {
      const text = texts.get(path);
      return text === undefined ? undefined : { path, text, mode };
    },
  };
}

/** The problems of a configuration that is refused; fails when it is accepted. */
export function problemsOf(program: Program<Table>, given: Given): readonly string[] {
  try {
    loadConfig(program, inputs(given));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  throw new Error("the configuration was accepted");
}
