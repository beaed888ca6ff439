/** Docker's own command-line client against one engine, as tests use it beside the code under test. */

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** Milliseconds for one command line. */
const COMMAND_TIMEOUT_MS = 60_000;
/** Bytes of output kept from one command. */
const OUTPUT_LIMIT = 64 * 1024 * 1024;

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

export interface DockerClient {
  /** Where the engine is: `unix://...`. */
  readonly host: string;
  /** Runs the client against this engine; its standard output without the last newline. Rejects with its standard error. */
  readonly docker: (...args: string[]) => Promise<string>;
  /** Starts a container in the background and gives its full id. It stops at once when told to. */
  run(name: string, options?: RunOptions): Promise<string>;
}

export function dockerClient(host: string): DockerClient {
  const docker = (...args: string[]): Promise<string> => command(dockerCli, ["--host", host, ...args]);
  return { host, docker, run: (name, options = {}) => docker(...runArguments(name, options)) };
}

function runArguments(name: string, options: RunOptions): string[] {
  const { image = "busybox", args = [] } = options;
  const sleep = image === "noshell" ? [] : ["sleep", "1000000"];
  return ["run", "--detach", "--name", name, "--stop-signal", "KILL", ...args, image, ...(options.command ?? sleep)];
}

/** An image without a shell on its PATH: one static program. */
export async function importNoshell({ docker }: DockerClient): Promise<void> {
  if ((await docker("images", "--quiet", "noshell")) !== "") return;
  const tree = await mkdtemp(join(tmpdir(), "fl-noshell-"));
  const busybox = await command("/bin/sh", ["-c", "command -v busybox"]);
  await mkdir(join(tree, "root"));
  await copyFile(busybox, join(tree, "root", "busybox"));
  await command("tar", ["-C", join(tree, "root"), "-cf", join(tree, "noshell.tar"), "."]);
  await docker("import", "--change", 'CMD ["/busybox","sleep","1000000"]', join(tree, "noshell.tar"), "noshell");
  await rm(tree, { recursive: true });
}

export interface CommandOptions {
  /** Milliseconds, default COMMAND_TIMEOUT_MS. */
  timeout?: number;
  /** All of it; default `environment()`. */
  env?: NodeJS.ProcessEnv;
}

/** Runs a program to its end: its standard output without the last newline. Rejects with its standard error. */
export function command(program: string, args: string[], options: CommandOptions = {}): Promise<string> {
  const all = { env: environment(), timeout: COMMAND_TIMEOUT_MS, maxBuffer: OUTPUT_LIMIT, ...options };
  return new Promise((resolve, reject) => {
    execFile(program, args, all, (error, stdout, stderr) => {
      if (error === null) resolve(stdout.replace(/\n$/, ""));
      else
        reject(new Error(`${program} ${args.join(" ")} failed: ${stderr.trim() || error.message}`, { cause: error }));
    });
  });
}

/** Scripts of the project need the Node that runs the tests and the administrator's programs. */
export function environment(): NodeJS.ProcessEnv {
  const path = [dirname(process.execPath), process.env["PATH"] ?? "", "/usr/sbin", "/sbin"].join(delimiter);
  return { ...process.env, PATH: path };
}
