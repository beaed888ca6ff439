/** Private Docker engines for tests: one shared by the whole run, and ones of their own for tests that stop or kill it. */

import { execFile, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** Milliseconds for one command line of the engine's client. */
const COMMAND_TIMEOUT_MS = 60_000;
/** Milliseconds to bring an engine up or down, an installation of its packages included. */
const ENGINE_TIMEOUT_MS = 300_000;
/** Bytes of output kept from one command. */
const OUTPUT_LIMIT = 64 * 1024 * 1024;
/** Milliseconds between two looks at a process that is about to be gone. */
const POLL_MS = 10;

/** `bin/test` puts the shared engine's directory here; a test file run alone fills it in itself. */
const SHARED_ENGINE = "FAIRLEAD_TEST_ENGINE";

const SCRIPT = fileURLToPath(new URL("../../bin/engine", import.meta.url));

/** The distribution's own client where it is, because it has the engine's version; comparisons name it too. */
export const dockerCli: string = existsSync("/usr/bin/docker") ? "/usr/bin/docker" : "docker";

export interface RunOptions {
  /** `busybox` (default: a shell and all applets) or `noshell` (only `/busybox`, not on the PATH). */
  image?: string;
  /** The image's own command, if absent, sleeps until it is stopped. */
  command?: string[];
  /** More options of `docker run`, such as `["-i", "--label", "a=b"]`. */
  args?: string[];
}

export interface Engine {
  /** The directory given to `bin/engine`. */
  readonly dir: string;
  /** The path of its socket. */
  readonly socket: string;
  /** The same as `unix://...`. */
  readonly host: string;
  /** Runs the Docker client against this engine; its standard output without the last newline. Rejects with its standard error. */
  docker(...args: string[]): Promise<string>;
  /** Starts a container in the background and gives its full id. It stops at once when told to. */
  run(name: string, options?: RunOptions): Promise<string>;
  /** Stops the engine and with it its containers; their state stays. */
  stop(): Promise<void>;
  /** Brings a stopped or killed engine back at the same socket. */
  start(): Promise<void>;
  /** Signals the daemon alone; after a deadly one it returns once the daemon is gone. Containers outlive it until `start`. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Deletes everything. */
  remove(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** An engine of its own, up and with the images; the caller removes it. Takes about two seconds. More flags are the daemon's. */
export async function startEngine(flags: readonly string[] = []): Promise<Engine> {
  const dir = await mkdtemp(join(tmpdir(), "fl-engine-"));
  if (flags.length > 0) await writeFile(join(dir, "flags"), `${flags.join("\n")}\n`);
  const engine = engineIn(dir);
  await engine.start();
  return engine;
}

/** The engine of the whole run. Run alone, a test file starts one and removes it when its process exits. */
export async function sharedEngine(): Promise<Engine> {
  const running = process.env[SHARED_ENGINE];
  if (running !== undefined) {
    const engine = engineIn(running);
    await importNoshell(engine);
    return engine;
  }
  const engine = await startEngine();
  process.env[SHARED_ENGINE] = engine.dir;
  process.once("exit", () => spawnSync(SCRIPT, ["remove", engine.dir], { env: environment() }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  return engine;
}

function engineIn(dir: string): Engine {
  const socket = join(dir, "docker.sock");
  const host = `unix://${socket}`;
  const docker = (...args: string[]): Promise<string> => command(dockerCli, ["--host", host, ...args]);
  const script = async (verb: string): Promise<void> => void (await command(SCRIPT, [verb, dir], ENGINE_TIMEOUT_MS));
  const engine: Engine = {
    dir,
    socket,
    host,
    docker,
    run: (name, options = {}) => docker(...runArguments(name, options)),
    stop: () => script("down"),
    start: async () => {
      await script("up");
      await importNoshell(engine);
    },
    kill: (signal) => killDaemon(dir, signal),
    remove: () => script("remove"),
    [Symbol.asyncDispose]: () => script("remove"),
  };
  return engine;
}

function runArguments(name: string, options: RunOptions): string[] {
  const { image = "busybox", args = [] } = options;
  const sleep = image === "noshell" ? [] : ["sleep", "1000000"];
  return ["run", "--detach", "--name", name, "--stop-signal", "KILL", ...args, image, ...(options.command ?? sleep)];
}

/** An image without a shell on its PATH: one static program. */
async function importNoshell(engine: Engine): Promise<void> {
  if ((await engine.docker("images", "--quiet", "noshell")) !== "") return;
  const tree = await mkdtemp(join(tmpdir(), "fl-noshell-"));
  const busybox = await command("/bin/sh", ["-c", "command -v busybox"]);
  await mkdir(join(tree, "root"));
  await copyFile(busybox, join(tree, "root", "busybox"));
  await command("tar", ["-C", join(tree, "root"), "-cf", join(tree, "noshell.tar"), "."]);
  await engine.docker("import", "--change", 'CMD ["/busybox","sleep","1000000"]', join(tree, "noshell.tar"), "noshell");
  await rm(tree, { recursive: true });
}

async function killDaemon(dir: string, signal: NodeJS.Signals): Promise<void> {
  const pid = Number(await readFile(join(dir, "docker.pid"), "utf8"));
  process.kill(pid, signal);
  if (signal !== "SIGKILL" && signal !== "SIGTERM") return;
  while (await lives(pid)) await delay(POLL_MS);
}

/** A zombie, which has no command line any more, does not live. */
async function lives(pid: number): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine !== "";
}

function command(program: string, args: string[], timeout: number = COMMAND_TIMEOUT_MS): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { env: environment(), timeout, maxBuffer: OUTPUT_LIMIT };
    execFile(program, args, options, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.replace(/\n$/, ""));
      else
        reject(new Error(`${program} ${args.join(" ")} failed: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}

/** The scripts need the Node that runs the tests and the administrator's programs. */
function environment(): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(delimiter);
  return { ...process.env, PATH: path };
}
