/** Where containers are in the network; remembered for as long as the engine's events would tell of a change. */

import type { ContainerInspectInfo } from "dockerode";
import { forever } from "../../../lib/forever.ts";
import { wait } from "../../../lib/wait.ts";
import { RuntimeError } from "../runtime.ts";
import { containerAddresses } from "./addresses.ts";
import { rawInspect } from "./containers.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";
import { type EngineEvent, openEvents } from "./events.ts";
import { isForeignNetwork } from "../host/processes.ts";
import type { Log } from "./log.ts";

/** Milliseconds after the engine's answer until it certainly subscribed us; nothing is remembered before. */
const SETTLE = 250;
/** Milliseconds between attempts to hear events again. */
const RETRY = { first: 500, max: 10_000 };
/** A container that lives in another's network, which lives in another's ...: further than this is a mistake. */
const MAX_SHARED = 4;
/** Events after which nothing of a container runs any more. */
const STOPPED = /^(die|stop|destroy)$/;

export interface Place {
  /** Reachable from this host, as far as the engine's word goes; none of a container that may be on another machine. */
  readonly addresses: readonly string[];
  /** Those of them that have swallowed a connection. */
  readonly silent: Set<string>;
  /** A process in the container's network namespace; absent where the host's processes cannot be seen. */
  readonly pid?: number;
}

export interface LocatorOptions {
  log: Log;
  /** Hears of every container that stopped. */
  stopped: (id: string) => void;
}

export class Locator {
  readonly #engine: Engine;
  readonly #options: LocatorOptions;
  readonly #life = new AbortController();
  readonly #places = new Map<string, Place>();
  #listening: Promise<void> | undefined;
  #trusted = false;
  #version = 0;

  constructor(engine: Engine, options: LocatorOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  /** Throws RuntimeError: `not-running`, or `unsupported` for a container in the host's own network. */
  async locate(id: string, signal: AbortSignal): Promise<Place> {
    const known = this.#places.get(id);
    if (known) return known;
    this.#listening ??= this.#listen();
    const version = this.#version;
    const place = await findPlace(this.#engine, id, signal);
    if (this.#trusted && version === this.#version) this.#places.set(id, place);
    return place;
  }

  /** The next `locate` asks the engine. */
  forget(id: string): void {
    this.#places.delete(id);
  }

  async close(): Promise<void> {
    this.#life.abort();
    await this.#listening;
  }

  #listen(): Promise<void> {
    const failed = (error: unknown, waitMs: number) =>
      this.#options.log.debug({ cause: describe(error), waitMs }, "Lost the engine's events; addresses are not kept.");
    return forever(() => this.#hear(), { ...RETRY, signal: this.#life.signal, failed });
  }

  async #hear(): Promise<void> {
    const { signal } = this.#life;
    const stop = new AbortController();
    try {
      const events = await openEvents(this.#engine, signal);
      void wait(SETTLE, AbortSignal.any([signal, stop.signal])).then(() => {
        this.#trusted = !stop.signal.aborted;
      });
      for await (const event of events) this.#heard(event);
    } finally {
      stop.abort();
      this.#trusted = false;
      this.#places.clear();
    }
  }

  /** Who shares the network of a changed container is not noted: every change forgets all. */
  #heard({ type, action, container }: EngineEvent): void {
    this.#version += 1;
    this.#places.clear();
    if (container && type === "container" && STOPPED.test(action)) this.#options.stopped(container);
  }
}

async function findPlace(engine: Engine, id: string, signal: AbortSignal): Promise<Place> {
  let container = await rawInspect(engine, id, signal);
  const { Running: running, Pid: pid } = container.State;
  const name = container.Name.replace(/^\//, "");
  if (!running) throw new RuntimeError("not-running", `The container ${name} is not running.`);
  for (let shared = sharedWith(container), hops = 0; shared; shared = sharedWith(container)) {
    if (++hops > MAX_SHARED)
      throw new RuntimeError("engine-error", `The network of ${name} leads from container to container.`);
    container = await rawInspect(engine, shared, signal);
  }
  const foreign = await isForeignNetwork(pid, id);
  if (foreign === false || mayBeTheHosts(container)) {
    throw new RuntimeError(
      "unsupported",
      `The container ${name} uses the network of its host, which is never dialled.`,
    );
  }
  // An address of another machine's container may be somebody else's here.
  const near = foreign || "path" in engine.endpoint.target;
  return { addresses: near ? containerAddresses(container) : [], silent: new Set(), ...(foreign ? { pid } : {}) };
}

/** A namespace that is named by its path (Podman), or by anything but a container's id, may be any. */
function mayBeTheHosts({
  HostConfig: { NetworkMode: mode = "" },
  NetworkSettings: network,
}: ContainerInspectInfo): boolean {
  return /^(host$|ns:|container:)/.test(mode) || Object.hasOwn(network.Networks ?? {}, "host");
}

function sharedWith(container: ContainerInspectInfo): string | undefined {
  return /^container:([0-9a-f]{64})$/.exec(container.HostConfig.NetworkMode ?? "")?.[1];
}
