/** The runtime on a Docker engine, or on Podman's Docker-compatible one. */

import type { Duplex } from "node:stream";
import type {
  AttachSpec,
  Connection,
  Container,
  ContainerDetail,
  ContainerEvent,
  CopySink,
  CopySource,
  EngineInfo,
  ExecSpec,
  LogEntry,
  LogOptions,
  Order,
  Process,
  Runtime,
  Stats,
} from "../runtime.ts";
import { openCopyOut } from "./archive.ts";
import { openCopyIn } from "./archive-in.ts";
import { openAttach } from "./attach.ts";
import { openContainerEvents } from "./container-events.ts";
import { engineInfo, inspectContainer, listContainers, requireId } from "./containers.ts";
import { Dialler } from "./dial.ts";
import { parseEndpoint, type TlsFiles } from "./endpoint.ts";
import { Engine } from "./engine.ts";
import { openExec } from "./exec.ts";
import { Killer } from "./kill.ts";
import { controlContainer } from "./lifecycle.ts";
import type { Log } from "./log.ts";
import { containerLogs } from "./logs.ts";
import { HelperImage } from "./own-image.ts";
import { containerStats } from "./stats.ts";
import { watchContainers } from "./watch.ts";

export interface DockerRuntimeOptions {
  /** `unix:///path` or `tcp://host:port`. */
  host: string;
  /** For `tcp`: the contents of the three PEM files of a DOCKER_CERT_PATH. */
  tls?: TlsFiles;
  /** The agent's state directory; execs are noted in `execs/` below it, helper containers in `guests/`. */
  stateDir: string;
  log: Log;
  /** Milliseconds for one call to the engine; default 30,000. */
  timeout?: number;
  /**
   * Fairlead's own image on the engine, for what has to be done inside of containers where this host does not see the
   * engine's processes: ending execs, reaching ports. Default: the one that this program runs from, if it runs in a
   * container of that engine.
   */
  helperImage?: string;
  /** Where the built or source form of dial-helper.ts is, if not beside this module. */
  dialHelper?: URL;
}

/** Connects lazily: an engine that is away shows in the calls. Throws RuntimeError `invalid` for an unusable `host`. */
export function createDockerRuntime(options: DockerRuntimeOptions): Runtime {
  return new DockerRuntime(options);
}

class DockerRuntime implements Runtime {
  readonly #engine: Engine;
  readonly #log: Log;
  readonly #killer: Killer;
  readonly #dialler: Dialler;
  readonly #open = new Set<Process>();
  #closed: Promise<void> | undefined;

  constructor(options: DockerRuntimeOptions) {
    const { host, tls, timeout, helperImage, log, stateDir } = options;
    this.#engine = new Engine(parseEndpoint(host, tls), timeout === undefined ? {} : { timeout });
    this.#log = log;
    const parts = { log, stateDir, helperImage: new HelperImage(this.#engine, helperImage) };
    this.#killer = new Killer(this.#engine, parts);
    this.#dialler = new Dialler(this.#engine, { ...parts, helper: options.dialHelper ?? besideThis() });
  }

  info(signal: AbortSignal): Promise<EngineInfo> {
    return engineInfo(this.#engine, signal);
  }

  list(signal: AbortSignal): Promise<Container[]> {
    return listContainers(this.#engine, signal);
  }

  inspect(id: string, signal: AbortSignal): Promise<ContainerDetail> {
    return inspectContainer(this.#engine, id, signal);
  }

  watch(signal: AbortSignal): AsyncIterable<Container[]> {
    return watchContainers(this.#engine, this.#log, signal);
  }

  events(since: string, signal: AbortSignal): Promise<AsyncIterable<ContainerEvent>> {
    return openContainerEvents(this.#engine, since, signal);
  }

  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogEntry[]> {
    return containerLogs(this.#engine, id, { options, signal });
  }

  stats(id: string, signal: AbortSignal): AsyncIterable<Stats> {
    return containerStats(this.#engine, id, signal);
  }

  async exec(id: string, spec: ExecSpec, signal: AbortSignal): Promise<Process> {
    requireId(id);
    const parts = { engine: this.#engine, killer: this.#killer, open: this.#open };
    return openExec(parts, { containerId: id, spec }, signal);
  }

  async attach(id: string, spec: AttachSpec, signal: AbortSignal): Promise<Process> {
    const process = await openAttach(this.#engine, { containerId: id, spec }, signal);
    this.#open.add(process);
    void process.exit.then(() => this.#open.delete(process));
    return process;
  }

  dial(id: string, port: number, signal: AbortSignal): Promise<Duplex> {
    return this.#dialler.dial({ id, port }, signal);
  }

  dialBulk(id: string, port: number, signal: AbortSignal): Promise<Connection> {
    return this.#dialler.dialBulk(id, port, signal);
  }

  control(id: string, order: Order, signal: AbortSignal): Promise<void> {
    return controlContainer(this.#engine, { id, order }, signal);
  }

  copyOut(id: string, what: { path: string; follow: boolean }, signal: AbortSignal): Promise<CopySource> {
    return openCopyOut(this.#engine, { id, ...what }, signal);
  }

  copyIn(id: string, path: string, signal: AbortSignal): Promise<CopySink> {
    return openCopyIn(this.#engine, { id, path }, signal);
  }

  async recover(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await Promise.all([this.#killer.recover(), this.#dialler.recover()]);
  }

  /**
   * Ends every process that is still open. Connections that were dialled belong to whoever dialled, but for those through
   * a helper container, which end with it.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await Promise.all([...this.#open].map((process) => process.close()));
    await this.#killer.idle();
    await this.#dialler.close();
    this.#engine.close();
  }
}

/** With this module's own ending: .ts in the sources, .js once it is built. */
function besideThis(): URL {
  return new URL(`dial-helper${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
}
