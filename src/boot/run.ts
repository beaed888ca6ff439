/**
 * Runs a program from its command line to its exit code. A whole main.ts:
 *
 *     await run({
 *       program: agentProgram(version),
 *       start: ({ config, log, stopping }) => Agent.start({ config, log, stopping }),
 *     });
 *
 * Exit codes: 0 ended as told, 1 could not start or failed, 2 the configuration or command line is wrong.
 */

import { existsSync } from "node:fs";
import { realpath } from "node:fs/promises";
import { ConfigError, type Loaded, loadConfig, requested } from "./config.ts";
import { helpText, printConfig } from "./help.ts";
import { readFile, thisHost } from "./host.ts";
import { Life } from "./life.ts";
import { type Log, openLog } from "./log.ts";
import { readSecretFile } from "./private-file.ts";
import type { Program, Setting, Table, ValuesOf } from "./setting.ts";

/** The settings that every long-running program has. */
type Operated = Table & {
  debug: Setting<boolean>;
  log_directory: Setting<string>;
  log_max_size: Setting<number>;
  shutdown_grace: Setting<number>;
};

interface Context<T extends Table> {
  config: ValuesOf<T>;
  /** The same, as its sources have it now. Rejects with {@link ConfigError}. */
  reread: () => Promise<Loaded<T>>;
  log: Log;
  /** Aborted when the program is told to end, also while it still starts. */
  stopping: AbortSignal;
}

interface Running {
  /** Takes no new work, lets what is open finish, and resolves when nothing is left; once `cut` aborts it waits for nobody. */
  close(cut: AbortSignal): Promise<void>;
}

interface Main<T extends Table> {
  program: Program<T>;
  start: (context: Context<T>) => Promise<Running>;
}

/** A reason not to start that is no defect of the program: told in its words, without a stack. */
export class StartError extends Error {
  override readonly name = "StartError";
}

/** Of what a program cannot start without: whatever is wrong with it is such a reason. */
export function refuseStart(error: unknown): never {
  throw new StartError(error instanceof Error ? error.message : String(error), { cause: error });
}

/** Resolves after help, version, printed configuration or refused configuration; otherwise the process ends inside. */
export async function run<T extends Operated>(main: Main<T>): Promise<void> {
  // A reader that went away (`--help | head -1`, a closed terminal) is not an error of the program.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  const argv = process.argv.slice(2);
  const request = requested(main.program, argv);
  if (request === "help") return print(helpText(main.program, thisHost()));
  if (request === "version") return print(`${main.program.name} ${main.program.version}\n`);
  await configured(main.program, argv, async (loaded) => {
    if (request === "print-config") return print(printConfig(main.program, loaded));
    await live(main, loaded, () => load(main.program, argv));
  });
}

/**
 * One thing that a program does with its configuration, beside its running self; `argv` are the flags. What `work` throws
 * with a code has words for people: they are told, and the exit code is 1.
 */
export async function runOnce<T extends Table>(
  program: Program<T>,
  argv: readonly string[],
  work: (values: ValuesOf<T>) => Promise<void>,
): Promise<void> {
  try {
    await configured(program, argv, ({ values }) => work(values));
  } catch (error) {
    if (!expected(error)) throw error;
    process.stderr.write(`${program.name}: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** A configuration with mistakes is told, and the exit code is 2. */
async function configured<T extends Table>(
  program: Program<T>,
  argv: readonly string[],
  work: (loaded: Loaded<T>) => Promise<void>,
): Promise<void> {
  try {
    await work(await load(program, argv));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.problems.map((problem) => `  ${problem}\n`).join("");
    process.stderr.write(`${program.name}: the configuration has mistakes\n${lines}`);
    process.exitCode = 2;
  }
}

async function load<T extends Table>(program: Program<T>, argv: readonly string[]): Promise<Loaded<T>> {
  const loaded = loadConfig(program, { argv, host: thisHost(), read: readFile });
  const problems: string[] = [];
  for (const [key, { secretFile }] of Object.entries(program.settings)) {
    const path: unknown = loaded.values[key];
    if (!secretFile || typeof path !== "string" || path === "") continue;
    if (secretFile === "when there" && !existsSync(path)) continue;
    await checkSecretFile(path).catch((error: unknown) =>
      problems.push(`${loaded.origins[key]?.place}: ${words(error)}`),
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return loaded;
}

/** Certificates and mounted secrets often stand behind a link: here what counts is the file that it leads to. */
async function checkSecretFile(path: string): Promise<void> {
  await readSecretFile(await realpath(path).catch(() => path));
}

async function live<T extends Operated>(
  { program, start }: Main<T>,
  { values, warnings }: Loaded<T>,
  reread: Context<T>["reread"],
): Promise<void> {
  const config: ValuesOf<Operated> = values;
  const opened = openLog({
    name: program.name.split(" ").at(-1) ?? program.name,
    debug: config.debug,
    directory: config.log_directory,
    maxSize: config.log_max_size,
  });
  const { log } = opened;
  const life = new Life(opened, config.shutdown_grace);
  for (const warning of warnings) log.warn(warning);
  log.debug({ version: program.version, node: process.version, pid: process.pid }, "starting");
  await life.exit(
    await startAndClose({ start, life, context: { config: values, reread, log, stopping: life.stopping } }),
  );
}

interface Lifetime<T extends Table> {
  start: Main<T>["start"];
  life: Life;
  context: Context<T>;
}

/** Returns the exit code. */
async function startAndClose<T extends Table>({ start, life, context }: Lifetime<T>): Promise<number> {
  const { log } = context;
  let running: Running;
  try {
    running = await start(context);
  } catch (error) {
    if (life.stopping.aborted) return 0;
    if (expected(error)) log.fatal(`cannot start: ${error.message}`);
    else log.fatal({ err: error }, "cannot start");
    return 1;
  }
  await life.stopped();
  try {
    await running.close(life.cut);
  } catch (error) {
    log.error({ err: error }, "could not end cleanly");
    return 1;
  }
  log.info("ended");
  return 0;
}

/** Errors with a code (of the system, the engine, the protocol) have words of their own; anything else is a defect and needs its stack. */
function expected(error: unknown): error is Error {
  return error instanceof Error && ("code" in error || error.name === "StartError" || error.name === "StateError");
}

function words(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function print(text: string): void {
  process.stdout.write(text);
}
