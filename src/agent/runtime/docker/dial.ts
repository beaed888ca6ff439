/** TCP connections to a container's ports: to its own address first, then inside its network, where loopback is its own. */

import { connect, type OnReadOpts, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Intake } from "../../../net/intake.ts";
import { readAsStream } from "../../../net/own-reads.ts";
import { reset } from "../../../net/reset.ts";
import { isForeignNetwork } from "../host/processes.ts";
import { type Connection, RuntimeError } from "../runtime.ts";
import { withDeadline } from "./deadline.ts";
import type { Engine } from "./engine.ts";
import { systemCode } from "./errors.ts";
import { Guests } from "./guest/guests.ts";
import { Locator, type Place } from "./locator.ts";
import type { Log } from "./log.ts";
import { Namespace } from "./namespace.ts";
import type { HelperImage } from "./own-image.ts";

/** Milliseconds for a dial inside the container's network, all its addresses together. */
const DIAL_TIMEOUT = 5_000;
/** Milliseconds more for the first one through a helper container: the engine may be busy. */
const START_TIMEOUT = 20_000;
/** Milliseconds for one address as seen from this host; a network that this host cannot reach may swallow everything. */
const DIRECT_TIMEOUT = 500;
/** Helper processes at the same time; the one that was started first makes room. */
const MAX_NAMESPACES = 32;

export interface DiallerOptions {
  stateDir: string;
  helperImage: HelperImage;
  log: Log;
  /** The built or source form of dial-helper.ts. */
  helper: URL;
}

/** A port, and how what comes is to be read. */
interface Wanted {
  id: string;
  port: number;
  onread?: OnReadOpts;
}

interface Target extends Wanted {
  place: Place;
}

/** One way to connect; it gives up in time, and when the signal says so. */
interface Way {
  /** For the log. */
  by: string;
  open: (signal: AbortSignal) => Promise<Duplex>;
}

export class Dialler {
  readonly #locator: Locator;
  readonly #options: DiallerOptions;
  readonly #namespaces = new Map<string, Namespace>();
  readonly #guests: Guests;

  constructor(engine: Engine, options: DiallerOptions) {
    this.#options = options;
    this.#guests = new Guests(engine, options);
    const stopped = (id: string) => {
      void this.#leaveNamespace(id);
      this.#guests.drop(id);
    };
    this.#locator = new Locator(engine, { log: options.log, stopped });
  }

  /** For many bytes, which are read into buffers that are used again. */
  async dialBulk(id: string, port: number, signal: AbortSignal): Promise<Connection> {
    const intake = new Intake({ collects: false });
    const socket = intake.follow(await this.dial({ id, port, onread: intake.onread }, signal));
    return { socket, bytes: intake.pieces(), reset: () => reset(socket) };
  }

  /** A change that the engine has not told yet makes a remembered place wrong: failing there asks again, once. */
  async dial(wanted: Wanted, signal: AbortSignal): Promise<Duplex> {
    const { id, port } = wanted;
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new RuntimeError("invalid", `${port} is not a port; ports are whole numbers from 1 to 65535.`);
    }
    const place = await this.#locator.locate(id, signal);
    try {
      return await this.#reach({ ...wanted, place }, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#locator.forget(id);
      const now = await this.#locator.locate(id, signal);
      if (JSON.stringify(now) === JSON.stringify(place)) throw error;
      return this.#reach({ ...wanted, place: now }, signal);
    }
  }

  /** Removes the helper containers that an earlier agent left. */
  recover(): Promise<void> {
    return this.#guests.recover();
  }

  async close(): Promise<void> {
    for (const id of this.#namespaces.keys()) this.#dropNamespace(id);
    await Promise.all([this.#guests.close(), this.#locator.close()]);
  }

  async #reach(target: Target, signal: AbortSignal): Promise<Duplex> {
    const failures: unknown[] = [];
    for (const { by, open } of this.#ways(target, failures)) {
      const connection = await open(signal).catch((error) => void failures.push(error));
      signal.throwIfAborted();
      if (!connection) continue;
      this.#options.log.debug({ container: target.id, port: target.port, by }, "Connected to a container's port.");
      return connection;
    }
    throw dialError(target.port, failures);
  }

  /** The next one is asked for when the last one has failed. */
  *#ways({ id, port, onread, place }: Target, failures: readonly unknown[]): Generator<Way> {
    const silent = [...place.silent];
    for (const host of place.addresses) if (!silent.includes(host)) yield direct({ host, port, onread }, place.silent);
    if (place.pid !== undefined) {
      yield fed(this.#throughNamespace(id, place.pid, port), onread);
      // Who has been inside knows that nothing answers there; only where that could not be is there more to try.
      if (!(failures.at(-1) instanceof RuntimeError)) return;
    }
    yield fed(this.#throughGuest(id, port), onread);
    for (const host of silent) yield direct({ host, port, onread }, place.silent);
  }

  #throughNamespace(id: string, pid: number, port: number): Way {
    const dial = (signal: AbortSignal) => this.#namespace(id, pid).dial(port, { timeout: DIAL_TIMEOUT, signal });
    const open = (signal: AbortSignal) => within(dial, DIAL_TIMEOUT, signal).then((it) => it.setNoDelay(true));
    return { by: "a process in its network", open };
  }

  #throughGuest(id: string, port: number): Way {
    const dial = async (signal: AbortSignal) => this.#guests.of(id).dial(port, { timeout: DIAL_TIMEOUT, signal });
    const open = (signal: AbortSignal) => within(dial, START_TIMEOUT + DIAL_TIMEOUT, signal);
    return { by: "a helper container", open };
  }

  #namespace(id: string, pid: number): Namespace {
    const known = this.#namespaces.get(id);
    if (known && !known.ended && known.pid === pid) return known;
    this.#dropNamespace(id);
    const [oldest] = this.#namespaces.keys();
    if (oldest !== undefined && this.#namespaces.size >= MAX_NAMESPACES) this.#dropNamespace(oldest);
    const namespace = new Namespace(pid, this.#options.helper);
    this.#namespaces.set(id, namespace);
    return namespace;
  }

  /** News of a stop may come after the container has begun again: what is in its network now stays. */
  async #leaveNamespace(id: string): Promise<void> {
    const namespace = this.#namespaces.get(id);
    if (!namespace || (await isForeignNetwork(namespace.pid, id))) return;
    if (this.#namespaces.get(id) === namespace) this.#dropNamespace(id);
  }

  #dropNamespace(id: string): void {
    this.#namespaces.get(id)?.close();
    this.#namespaces.delete(id);
  }
}

interface Address {
  host: string;
  port: number;
  onread: OnReadOpts | undefined;
}

function direct(target: Address, silent: Set<string>): Way {
  const open = async (signal: AbortSignal) => {
    try {
      return await dialDirect(target, DIRECT_TIMEOUT, signal);
    } catch (error) {
      if (systemCode(error) === "ETIMEDOUT") silent.add(target.host);
      throw error;
    }
  };
  return { by: "its address", open };
}

/** For a way whose connections come as streams: they are read as is wanted all the same. */
function fed(way: Way, onread: OnReadOpts | undefined): Way {
  if (!onread) return way;
  const open = async (signal: AbortSignal) => {
    const connection = await way.open(signal);
    readAsStream(connection, onread);
    return connection;
  };
  return { by: way.by, open };
}

async function dialDirect({ onread, ...target }: Address, ms: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ ...target, ...(onread && { onread }), allowHalfOpen: true, noDelay: true });
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
  return within(() => connected, ms, signal).catch((error) => {
    socket.destroy();
    throw error;
  });
}

type Dial<T> = (signal: AbortSignal) => Promise<T>;

/** Gives up after `ms` or when the signal says so; a socket that comes later is destroyed. */
function within<T extends Duplex>(dial: Dial<T>, ms: number, signal: AbortSignal): Promise<T> {
  const late = () => Object.assign(new Error("time-out"), { code: "ETIMEDOUT" });
  return withDeadline({ signal, ms, late }, async (left) => {
    const socket = await dial(left);
    return left.aborted ? socket.destroy() : socket;
  });
}

function dialError(port: number, failures: unknown[]): RuntimeError {
  const cause = failures.find((failure) => systemCode(failure) === "ECONNREFUSED");
  const own = failures.find((failure) => failure instanceof RuntimeError);
  if (cause) {
    const doubt = own ? ` What only listens on its loopback was not asked. ${own.message}` : "";
    return new RuntimeError("dial-refused", `Nothing listens on port ${port} of the container.${doubt}`, { cause });
  }
  const codes = failures.filter((failure) => failure !== own).map((failure) => systemCode(failure) || String(failure));
  const words = `Port ${port} of the container does not answer: ${codes.join(", ")}.`;
  if (!own) return new RuntimeError("dial-failed", words);
  return codes.length === 0 ? own : new RuntimeError(own.code, `${words} ${own.message}`, { cause: own });
}
