/** The engine's short REST calls, through dockerode: each with a time-out, each failure a RuntimeError. */

import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { inspect } from "node:util";
import Docker from "dockerode";
import { RuntimeError } from "../runtime.ts";
import { withDeadline } from "./deadline.ts";
import { chooseDialect, type Dialect, type VersionAnswer } from "./dialect.ts";
import { callAgent, type Endpoint } from "./endpoint.ts";
import { errorFromCause } from "./errors.ts";
import { openUpload, type Upload } from "./upload.ts";
import { openWire, type Wire, type WireOptions } from "./wire.ts";
import type { WireRequest } from "./wire-head.ts";

/** Milliseconds for one call, and for a stream from its connect to the answer's head. */
export const CALL_TIMEOUT = 30_000;
/** An answer larger than this is not one. */
const MAX_ANSWER = 32 * 1024 * 1024;
const TOO_LARGE = `The engine's answer is larger than ${MAX_ANSWER} bytes.`;

export interface EngineOptions {
  /** Milliseconds, default CALL_TIMEOUT. */
  timeout?: number;
}

/** Throws what the client throws. */
export function askVersion(docker: Docker, abortSignal: AbortSignal): Promise<VersionAnswer> {
  // The client takes a signal here too; its types have not heard of it.
  const client = docker as unknown as { version(options: { abortSignal: AbortSignal }): Promise<VersionAnswer> };
  return client.version({ abortSignal });
}

interface Agreed {
  dialect: Dialect;
  docker: Docker;
}

/** Agrees with the engine on a version of its API before the first call, and again after it was away. */
export class Engine {
  readonly endpoint: Endpoint;
  readonly timeout: number;
  readonly #agent: Agent;
  #agreed: Promise<Agreed> | undefined;

  constructor(endpoint: Endpoint, options: EngineOptions = {}) {
    this.endpoint = endpoint;
    this.timeout = options.timeout ?? CALL_TIMEOUT;
    this.#agent = watchful(callAgent(endpoint));
  }

  /** Runs one REST call, which takes at most so many milliseconds. Throws RuntimeError, or the signal's reason. */
  call<T>(
    signal: AbortSignal,
    work: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
    ms: number = this.timeout,
  ): Promise<T> {
    return this.#inTime({ signal, ms }, async (both) => work((await this.#agreement()).docker, both));
  }

  /** Like `call`, of an answer that is read as it comes. */
  read<T>(request: WireRequest, signal: AbortSignal, work: (wire: Wire) => Promise<T>): Promise<T> {
    const { timeout: ms } = this;
    return this.#inTime({ signal, ms }, async (both) => work(await this.stream(request, both)));
  }

  /** How the engine speaks; throws as `call` does, and `unsupported` when it is too old or too new. */
  async dialect(signal: AbortSignal): Promise<Dialect> {
    return (await this.#inTime({ signal, ms: this.timeout }, () => this.#agreement())).dialect;
  }

  /** Opens a long-lived request; the signal ends it at any time. */
  stream(request: WireRequest, signal: AbortSignal): Promise<Wire> {
    return this.#begin(openWire, request, signal);
  }

  /** Opens a request whose body the caller writes; the signal ends it at any time. */
  upload(request: WireRequest, signal: AbortSignal): Promise<Upload> {
    return this.#begin(openUpload, request, signal);
  }

  close(): void {
    this.#agent.destroy();
  }

  async #begin<T>(
    open: (endpoint: Endpoint, request: WireRequest, options: WireOptions) => Promise<T>,
    request: WireRequest,
    signal: AbortSignal,
  ): Promise<T> {
    const api = request.api ?? (await this.dialect(signal)).api;
    const versioned = { ...request, path: api + request.path };
    try {
      return await open(this.endpoint, versioned, { signal, timeout: this.timeout });
    } catch (error) {
      throw this.#noticed(error);
    }
  }

  async #inTime<T>(
    { signal, ms }: { signal: AbortSignal; ms: number },
    work: (both: AbortSignal) => Promise<T>,
  ): Promise<T> {
    const words = `The engine at ${this.endpoint.host} did not answer within ${ms / 1000} s.`;
    const late = () => new RuntimeError("engine-unavailable", words);
    try {
      return await withDeadline({ signal, ms, late }, work);
    } catch (error) {
      signal.throwIfAborted();
      throw this.#noticed(errorFromCause(error, this.endpoint.host));
    }
  }

  #agreement(): Promise<Agreed> {
    this.#agreed ??= this.#agree();
    return this.#agreed;
  }

  /** For everybody who waits, so that none of them can call it off. */
  async #agree(): Promise<Agreed> {
    try {
      const unversioned = new Docker(clientOptions(this.endpoint, this.#agent));
      const dialect = chooseDialect(await askVersion(unversioned, AbortSignal.timeout(this.timeout)));
      return { dialect, docker: new Docker(clientOptions(this.endpoint, this.#agent, dialect.api.slice(1))) };
    } catch (error) {
      this.#agreed = undefined;
      throw error;
    }
  }

  /** What comes back may be another engine. */
  #noticed(error: unknown): unknown {
    if (error instanceof RuntimeError && error.code === "engine-unavailable") this.#agreed = undefined;
    return error;
  }
}

/** Every option is named, also with undefined: the client would fill gaps from DOCKER_HOST and its relatives. */
function clientOptions(endpoint: Endpoint, agent: Agent, version = ""): Docker.DockerOptions {
  const { target, tls } = endpoint;
  return {
    socketPath: "path" in target ? target.path : undefined,
    host: "host" in target ? target.host : undefined,
    port: "port" in target ? target.port : undefined,
    protocol: tls ? "https" : "http",
    ca: tls?.ca,
    cert: tls?.cert,
    key: tls?.key,
    version: version || undefined,
    timeout: undefined,
    agent,
  } as Docker.DockerOptions;
}

/**
 * The client waits for ever for an answer that breaks off and stores one of any length; this makes both an error.
 * It also renders every request for a debug log, whether or not there is one, down to the agent's last socket:
 * that took longer than the rest of the call, and is cut off here.
 */
function watchful(agent: Agent): Agent {
  Object.defineProperty(agent, inspect.custom, { value: () => "the engine's agent" });
  const inner = agent as Agent & { addRequest(request: ClientRequest, ...rest: unknown[]): void };
  const addRequest = inner.addRequest.bind(inner);
  inner.addRequest = (request, ...rest) => {
    request.once("response", (answer: IncomingMessage) => {
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_ANSWER) answer.destroy(new RuntimeError("engine-error", TOO_LARGE));
      });
      answer.once("error", (error) => request.emit("error", error));
    });
    addRequest(request, ...rest);
  };
  return agent;
}
