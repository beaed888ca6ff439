/** The engine's short REST calls, through dockerode: each with a time-out, each failure a RuntimeError. */

import type { Agent, ClientRequest, IncomingMessage } from "node:http";
import { inspect } from "node:util";
import Docker from "dockerode";
import { RuntimeError } from "../runtime.ts";
import { withDeadline } from "./deadline.ts";
import { callAgent, type Endpoint } from "./endpoint.ts";
import { errorFromCause } from "./errors.ts";
import { openWire, type Wire } from "./wire.ts";
import type { WireRequest } from "./wire-head.ts";

/** Milliseconds for one call, and for a stream from its connect to the answer's head. */
export const CALL_TIMEOUT = 30_000;
/** An answer larger than this is not one. */
const MAX_ANSWER = 32 * 1024 * 1024;

export interface EngineOptions {
  /** Milliseconds, default CALL_TIMEOUT. */
  timeout?: number;
}

/** Paths carry no version: the engine then answers in its newest, and what we read is in all since 1.40. */
export class Engine {
  readonly endpoint: Endpoint;
  readonly timeout: number;
  readonly #docker: Docker;
  readonly #agent: Agent;

  constructor(endpoint: Endpoint, options: EngineOptions = {}) {
    this.endpoint = endpoint;
    this.timeout = options.timeout ?? CALL_TIMEOUT;
    this.#agent = watchful(callAgent(endpoint));
    this.#docker = new Docker(clientOptions(endpoint, this.#agent));
  }

  /** Runs one REST call, which takes at most so many milliseconds. Throws RuntimeError, or the signal's reason. */
  async call<T>(
    signal: AbortSignal,
    work: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
    ms: number = this.timeout,
  ): Promise<T> {
    const words = `The engine at ${this.endpoint.host} did not answer within ${ms / 1000} s.`;
    const late = () => new RuntimeError("engine-unavailable", words);
    try {
      return await withDeadline({ signal, ms, late }, (both) => work(this.#docker, both));
    } catch (error) {
      signal.throwIfAborted();
      throw errorFromCause(error, this.endpoint.host);
    }
  }

  /** Opens a long-lived request; the signal ends it at any time. */
  stream(request: WireRequest, signal: AbortSignal): Promise<Wire> {
    return openWire(this.endpoint, request, { signal, timeout: this.timeout });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Every option is named, also with undefined: the client would fill gaps from DOCKER_HOST and its relatives. */
function clientOptions(endpoint: Endpoint, agent: Agent): Docker.DockerOptions {
  const { target, tls } = endpoint;
  return {
    socketPath: "path" in target ? target.path : undefined,
    host: "host" in target ? target.host : undefined,
    port: "port" in target ? target.port : undefined,
    protocol: tls ? "https" : "http",
    ca: tls?.ca,
    cert: tls?.cert,
    key: tls?.key,
    version: undefined,
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
        if (size > MAX_ANSWER) answer.destroy(new Error(`the answer is larger than ${MAX_ANSWER} bytes`));
      });
      answer.once("error", (error) => request.emit("error", error));
    });
    addRequest(request, ...rest);
  };
  return agent;
}
