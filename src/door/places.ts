/** Every place where a program can be met: its port, a socket file for this machine, a port for probes. Opened and closed together. */

import type { Socket } from "node:net";
import type { FastifyInstance } from "fastify";
import { type Listeners, listenError, urlOf } from "./listener.ts";
import { type LocalSocket, listenLocally } from "./local-socket.ts";
import type { DoorConfig } from "./options.ts";
import { type ProbeListener, type ProbeParts, listenForProbes } from "./probe-listener.ts";

export interface Place {
  url: string;
  /** The file of the local socket, if there is one. */
  socket?: string | undefined;
  /** Where probes are answered, if that is a place of its own. */
  probes?: string | undefined;
}

export interface PlaceParts extends ProbeParts {
  listeners: Listeners;
}

export class Places {
  readonly #app: FastifyInstance;
  readonly #config: DoorConfig;
  readonly #parts: PlaceParts;
  #local: LocalSocket | undefined;
  #probes: ProbeListener | undefined;
  #closed: Promise<unknown> | undefined;

  constructor(app: FastifyInstance, config: DoorConfig, parts: PlaceParts) {
    this.#app = app;
    this.#config = config;
    this.#parts = parts;
  }

  /** Rejects with words for people when a place cannot be used; then none is left open. */
  async open(): Promise<Place> {
    const { localSocket, probes } = this.#config;
    const accept = (socket: Socket) => this.#parts.listeners.accept(this.#app.server, socket);
    try {
      if (probes) this.#probes = await listenForProbes(probes, this.#parts);
      const url = await this.#listen();
      if (localSocket) this.#local = await listenLocally(localSocket, accept);
      return { url, ...(this.#local && { socket: localSocket }), ...(this.#probes && { probes: this.#probes.url }) };
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Cuts whoever is still there. Idempotent. */
  async close(): Promise<void> {
    this.#closed ??= Promise.all([this.#app.close(), this.#local?.close(), this.#probes?.close()]);
    await this.#closed;
  }

  async #listen(): Promise<string> {
    const { listenAddress: address, listenPort: port, tls } = this.#config;
    try {
      await this.#app.listen({ host: address, port });
    } catch (error) {
      throw listenError(error, { address, port, settings: { address: "listen_address", port: "listen_port" } });
    }
    return urlOf(this.#app.server, { address, secure: tls !== undefined });
  }
}
