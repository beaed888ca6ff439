/** Private Docker engines for tests: one shared by the whole run, and ones of their own for tests that stop or kill it. */

import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { command, type DockerClient, dockerClient, environment, importNoshell } from "./docker-client.ts";

/** Milliseconds to bring an engine up or down, an installation of its packages included. */
const ENGINE_TIMEOUT_MS = 300_000;
/** Milliseconds between two looks at a process that is about to be gone. */
const POLL_MS = 10;

/** `bin/test` puts the shared engine's directory here; a test file run alone fills it in itself. */
const SHARED_ENGINE = "FAIRLEAD_TEST_ENGINE";

const SCRIPT = fileURLToPath(new URL("../../bin/engine", import.meta.url));

export interface Engine extends DockerClient {
  /** The directory given to `bin/engine`. */
  readonly dir: string;
  /** The path of its socket. */
  readonly socket: string;
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
  const script = async (verb: string): Promise<void> =>
    void (await command(SCRIPT, [verb, dir], { timeout: ENGINE_TIMEOUT_MS }));
  const engine: Engine = {
    dir,
    socket,
    ...dockerClient(host),
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
