/** The real agent as a process of its own, with directories of its own, for tests that use it as a user would. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NODE_FLAGS } from "./node.ts";

const main = fileURLToPath(new URL("../../src/agent/main.ts", import.meta.url));
const START_MS = 20_000;
const STOP_MS = 20_000;

export interface AgentOptions {
  /** Its `host` is where the agent looks for containers. */
  engine: { host: string };
  /** Where it listens; else wherever there is room. */
  port?: number;
  /** More flags for `fairlead agent`. */
  flags?: string[];
  env?: Record<string, string>;
  /** Of an earlier agent, to go on with its state. */
  home?: string;
  /** What to start instead of the sources, e.g. the launcher in bin/; it must `exec`, so that the pid is the agent's. */
  program?: readonly [string, ...string[]];
}

export interface TestAgent {
  url: string;
  token: string;
  /** A one-time sign-in code, as printed at the start. */
  code: string;
  stateDir: string;
  /** The directory that holds everything of this agent. */
  home: string;
  /** With this environment `ctl` finds the agent by itself. */
  env: Record<string, string>;
  pid: number;
  /** What it said on standard output when it had started. */
  welcome: string;
  /** Everything it said on standard error so far. */
  log(): string;
  /** Calls its HTTP API with the local token. */
  fetch(path: string, init?: Omit<RequestInit, "headers"> & { headers?: Record<string, string> }): Promise<Response>;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with the exit code when the process is gone. */
  exited: Promise<number | null>;
  /** Ends it and removes its directories. */
  stop(): Promise<void>;
}

export async function startAgent(options: AgentOptions): Promise<TestAgent> {
  const home = options.home ?? (await mkdtemp(join(tmpdir(), "fl-agent-")));
  const env = { XDG_STATE_HOME: join(home, "state"), XDG_CONFIG_HOME: join(home, "config"), HOME: home };
  const stateDir = join(env.XDG_STATE_HOME, "fairlead");
  const flags = [
    "--listen-port",
    String(options.port ?? 0),
    "--docker-host",
    options.engine.host,
    ...(options.flags ?? []),
  ];
  const [file, ...args] = options.program ?? [process.execPath, ...NODE_FLAGS, main];
  const child = spawn(file, [...args, ...flags], {
    cwd: home,
    env: { ...process.env, ...env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const said = { out: "", err: "" };
  child.stdout.on("data", (bytes: Buffer) => (said.out += bytes.toString()));
  child.stderr.on("data", (bytes: Buffer) => (said.err += bytes.toString()));
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const { url, code } = await welcome(child, said);
  const token = (await readFile(join(stateDir, "token"), "utf8")).trim();
  return {
    url,
    token,
    code,
    stateDir,
    home,
    env,
    exited,
    pid: child.pid ?? 0,
    welcome: said.out,
    log: () => said.err,
    fetch: (path, init) =>
      fetch(url + path, { ...init, headers: { authorization: `Bearer ${token}`, ...init?.headers } }),
    kill: (signal) => void child.kill(signal),
    stop: () => stop(child, { exited, home }),
  };
}

async function welcome(
  child: ChildProcess,
  said: { out: string; err: string },
): Promise<{ url: string; code: string }> {
  const deadline = AbortSignal.timeout(START_MS);
  for (;;) {
    const [, url, code] = /page +(\S+)\/#code=(\S+)/.exec(said.out) ?? [];
    if (url && code) return { url, code };
    if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}: ${said.err}`);
    if (deadline.aborted) throw new Error(`the agent did not start: ${said.out}${said.err}`);
    await Promise.race([once(child.stdout ?? child, "data"), once(child, "exit"), once(deadline, "abort")]);
  }
}

async function stop(child: ChildProcess, own: { exited: Promise<number | null>; home: string }): Promise<void> {
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await own.exited;
  clearTimeout(late);
  await rm(own.home, { recursive: true, force: true });
}
