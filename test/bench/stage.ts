/** What the figures stand on: an engine, the containers, the agent and the peers, each started when first asked for. */

import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { type Engine, sharedEngine } from "../support/engine.ts";
import { Bare } from "./bare/bare.ts";
import { run } from "./command.ts";
import { IMAGE, importImage } from "./image.ts";
import { Ctl } from "./ours/ctl.ts";
import { Fleet } from "./ours/fleet.ts";
import { Docker } from "./peers/docker.ts";
import { Sshd } from "./peers/sshd.ts";

/** The container that most figures talk to. */
export const WEB = "web";
/** Lines of the long log, and bytes of each with its newline. */
export const LOG = { lines: 1_000_000, line: 114 } as const;

/** Owns all of it but the engine, which the run's own script removes. */
export class Stage implements AsyncDisposable {
  readonly #stack = new AsyncDisposableStack();
  readonly #made = new Map<string, Promise<unknown>>();

  engine(): Promise<Engine> {
    return this.#once("engine", sharedEngine);
  }

  /** The docker command on the engine, which has {@link IMAGE}. */
  docker(): Promise<Docker> {
    return this.#once("docker", async () => {
      const docker = await Docker.of((await this.engine()).host);
      await importImage(docker);
      return docker;
    });
  }

  /** Starts {@link WEB} and gives its address. */
  web(): Promise<string> {
    return this.#once("web", async () => {
      const docker = await this.docker();
      await run(docker.command("run", "--detach", "--name", WEB, IMAGE));
      const address = await run(docker.command("inspect", "--format", "{{.NetworkSettings.IPAddress}}", WEB));
      return address.trim();
    });
  }

  /** For what is to stay until the run ends. */
  directory(): Promise<string> {
    return this.#once("directory", async () => {
      const directory = await mkdtemp(join(tmpdir(), "fl-bench-"));
      this.#stack.defer(() => rm(directory, { recursive: true, force: true }));
      return directory;
    });
  }

  /** A container that has written {@link LOG} and ended; each line is its own number. */
  longLog(): Promise<string> {
    return this.#once("log", async () => {
      const docker = await this.docker();
      const script = `awk 'BEGIN { for (i = 0; i < ${LOG.lines}; i++) printf "%0${LOG.line - 1}d\\n", i }'`;
      await run(docker.command("run", "--name", "long-log", IMAGE, "sh", "-c", script));
      return "long-log";
    });
  }

  /** `ctl` on an agent of its own. */
  ctl(): Promise<Ctl> {
    return this.#once("ctl", async () => this.#stack.use(await Ctl.start(await this.engine())));
  }

  /** The same over TLS, as to another machine. */
  secureCtl(): Promise<Ctl> {
    return this.#once("secure ctl", async () => this.#stack.use(await Ctl.startSecure(await this.engine())));
  }

  /** A server, and a host of it that can be dialled too. */
  fleet(): Promise<Fleet> {
    return this.#once("fleet", async () => this.#stack.use(await Fleet.start(await this.engine())));
  }

  /** Two programs of Node's that only pass bytes on, in the place of agent and `ctl`. */
  bare(): Promise<Bare> {
    return this.#once("bare", async () => {
      const [{ host }, address] = await Promise.all([this.engine(), this.web()]);
      return this.#stack.use(await Bare.start(new URL(host).pathname, address));
    });
  }

  sshd(): Promise<Sshd> {
    return this.#once("sshd", async () => this.#stack.use(await Sshd.start()));
  }

  /** Versions and machine, without which no figure means anything. */
  async describe(): Promise<string> {
    const docker = await this.docker();
    const processors = cpus();
    const machine = `${processors.length} x ${processors[0]?.model ?? "unknown processor"}`;
    return `${machine}, Node ${process.versions.node}, docker ${docker.versions}, ${await Sshd.version()}`;
  }

  #once<T>(name: string, make: () => Promise<T>): Promise<T> {
    const made = this.#made.get(name) ?? make();
    this.#made.set(name, made);
    return made as Promise<T>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }
}
