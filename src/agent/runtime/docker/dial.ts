/** TCP connections to a container's ports: to its own address first, then inside its network, where loopback is its own. */

import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { RuntimeError } from "../runtime.ts";
import { withDeadline } from "./deadline.ts";
import type { Engine } from "./engine.ts";
import { systemCode } from "./errors.ts";
import { Locator, type Place } from "./locator.ts";
import type { Log } from "./log.ts";
import { Namespace } from "./namespace.ts";

/** Milliseconds for a dial, all attempts together. */
const DIAL_TIMEOUT = 5000;
/** Milliseconds for one address as seen from this host; a network that this host cannot reach may swallow everything. */
const DIRECT_TIMEOUT = 1500;
/** Helper processes at the same time; the one that was started first makes room. */
const MAX_NAMESPACES = 32;

export interface DiallerOptions {
  log: Log;
  /** The built or source form of dial-helper.ts. */
  helper: URL;
}

export class Dialler {
  readonly #locator: Locator;
  readonly #options: DiallerOptions;
  readonly #namespaces = new Map<string, Namespace>();

  constructor(engine: Engine, options: DiallerOptions) {
    this.#options = options;
    this.#locator = new Locator(engine, { log: options.log, stopped: (id) => this.#drop(id) });
  }

  /** A change that the engine has not told yet makes a remembered place wrong: failing there asks again, once. */
  async dial(id: string, port: number, signal: AbortSignal): Promise<Duplex> {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw new RuntimeError("invalid", `${port} is not a port; ports are whole numbers from 1 to 65535.`);
    }
    const place = await this.#locator.locate(id, signal);
    try {
      return await this.#connect({ id, port, place }, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.#locator.forget(id);
      const now = await this.#locator.locate(id, signal);
      if (JSON.stringify(now) === JSON.stringify(place)) throw error;
      return this.#connect({ id, port, place: now }, signal);
    }
  }

  async close(): Promise<void> {
    for (const id of this.#namespaces.keys()) this.#drop(id);
    await this.#locator.close();
  }

  async #connect(
    { id, port, place }: { id: string; port: number; place: Place },
    signal: AbortSignal,
  ): Promise<Socket> {
    const until = performance.now() + DIAL_TIMEOUT;
    const left = () => Math.max(1, until - performance.now());
    const failures: unknown[] = [];
    for (const host of place.addresses) {
      const attempt = dialDirect({ host, port }, Math.min(DIRECT_TIMEOUT, left()), signal);
      const socket = await attempt.catch((error) => void failures.push(error));
      if (socket) return socket;
      signal.throwIfAborted();
    }
    if (place.pid !== undefined) {
      const inside = this.#namespace(id, place.pid).dial(port, { addresses: place.addresses, timeout: left() });
      const socket = await within(inside, left(), signal).catch((error) => void failures.push(error));
      if (socket) return socket.setNoDelay(true);
      signal.throwIfAborted();
    }
    throw dialError(port, failures);
  }

  #namespace(id: string, pid: number): Namespace {
    const known = this.#namespaces.get(id);
    if (known && !known.ended && known.pid === pid) return known;
    this.#drop(id);
    const [oldest] = this.#namespaces.keys();
    if (oldest !== undefined && this.#namespaces.size >= MAX_NAMESPACES) this.#drop(oldest);
    const namespace = new Namespace(pid, this.#options.helper);
    this.#namespaces.set(id, namespace);
    return namespace;
  }

  #drop(id: string): void {
    this.#namespaces.get(id)?.close();
    this.#namespaces.delete(id);
  }
}

async function dialDirect(target: { host: string; port: number }, ms: number, signal: AbortSignal): Promise<Socket> {
  const socket = connect({ ...target, allowHalfOpen: true, noDelay: true });
  const connected = new Promise<Socket>((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
  return within(connected, ms, signal).catch((error) => {
    socket.destroy();
    throw error;
  });
}

/** Gives up after `ms` or when the signal says so; a socket that comes later is destroyed. */
async function within(connecting: Promise<Socket>, ms: number, signal: AbortSignal): Promise<Socket> {
  const late = () => Object.assign(new Error("time-out"), { code: "ETIMEDOUT" });
  try {
    return await withDeadline({ signal, ms, late }, () => connecting);
  } catch (error) {
    connecting.then((socket) => socket.destroy()).catch(() => {});
    throw error;
  }
}

function dialError(port: number, failures: unknown[]): RuntimeError {
  const cause = failures.find((failure) => systemCode(failure) === "ECONNREFUSED");
  if (cause) return new RuntimeError("dial-refused", `Nothing listens on port ${port} of the container.`, { cause });
  const own = failures.find((failure) => failure instanceof RuntimeError);
  if (own) return own;
  const codes = failures.map((failure) => systemCode(failure) || String(failure)).join(", ");
  const words = codes || "it has no address that can be reached from here";
  return new RuntimeError("dial-failed", `Port ${port} of the container does not answer: ${words}.`);
}
