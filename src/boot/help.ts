/** What a program says about itself: `--help` and `--print-config`, both from its table of settings. */

import { stringify } from "yaml";
import { configPlaces, type Loaded } from "./config.ts";
import { flagsOf, type Host, type Program, type Setting, type Table, variablesOf } from "./setting.ts";

const WIDTH = 88;
const INDENT = 8;

/** Each setting with its flags, what it does, its default and its variables. */
export function helpText(program: Program<Table>, host: Host): string {
  const settings = Object.keys(program.settings).map((key) => settingHelp(program, key, host));
  const places = configPlaces(program, host).join(", ");
  return `${[
    `Usage: ${program.name} [flags]`,
    wrap(program.summary, 0),
    wrap(
      `Settings come from a YAML file (--config, $${[`${program.prefix}CONFIG`, ...program.configVariables].join(", $")}; else the first of ${places}), then .env, then the environment, then flags; the later one wins. In files the keys are the flags' names with underscores. A flag may also be written -name value or --name=value.`,
      0,
    ),
    "  -c, --config PATH\n        Reads this configuration file and no other.",
    "  --print-config\n        Shows every value and where it comes from, secrets hidden, and ends.",
    "  -h, --help\n  --version",
    ...settings,
  ].join("\n\n")}\n`;
}

function settingHelp(program: Program<Table>, key: string, host: Host): string {
  const definition = program.settings[key];
  if (!definition) return "";
  const { type, effect, short } = definition;
  const names = flagsOf(program, key).map((name) => `--${type.form === "switch" ? "[no-]" : ""}${name}`);
  const flags = [...(short ? [`-${short}`] : []), ...names].join(", ");
  const variables = variablesOf(program, key).map(({ name }) => name);
  return [
    `  ${flags}${type.placeholder && ` ${type.placeholder}`}`,
    wrap(effect, INDENT),
    wrap(`Default: ${defaultText(definition, host)}. Environment: ${variables.join(", ")}.`, INDENT),
  ].join("\n");
}

/** The default as one would write it, or in words where it depends on the host. */
export function defaultText(definition: Setting<unknown>, host: Host): string {
  const { default: initial, defaultWords, type } = definition;
  return defaultWords ?? yaml(type.show(typeof initial === "function" ? initial(host, {}) : initial));
}

/** A valid configuration file whose comments say where each value comes from. */
export function printConfig<T extends Table>(program: Program<T>, { values, origins }: Loaded<T>): string {
  const lines = Object.entries(program.settings).map(([key, { type }]): [string, string] => [
    `${key}: ${yaml(type.show(values[key]))}`,
    origins[key]?.source === "default" ? "(default)" : (origins[key]?.place ?? ""),
  ]);
  const width = Math.min(WIDTH / 2, Math.max(...lines.map(([line]) => line.length)));
  return lines.map(([line, place]) => `${line.padEnd(width)}  # ${place}\n`).join("");
}

/** One line of YAML. */
export function yaml(value: unknown): string {
  return stringify(value, { collectionStyle: "flow", lineWidth: 0, defaultStringType: "PLAIN" }).trim();
}

function wrap(text: string, indent: number): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line && line.length + word.length + 1 > WIDTH - indent) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.map((line) => " ".repeat(indent) + line).join("\n");
}
