/** A container's main process, shared with whoever else is attached: leaving it never ends it. */

import { Backlog } from "../../../lib/backlog.ts";
import {
  type AttachSpec,
  type ContainerDetail,
  type ExitStatus,
  type Output,
  type Process,
  RuntimeError,
  type Size,
} from "../runtime.ts";
import { inspectContainer, notRunning } from "./containers.ts";
import { Demux } from "./demux.ts";
import type { Engine } from "./engine.ts";
import { describe } from "./errors.ts";
import { DETACH_KEYS } from "./exec-start.ts";
import { Resizer } from "./resizer.ts";
import { toSignal } from "../signal-names.ts";
import { type ContainerExit, waitForExit } from "./wait-exit.ts";
import type { Wire } from "./wire.ts";
import { query } from "./wire-head.ts";

/** Bytes of output that wait for a reader. The stream is always read: pausing it would stop the container itself. */
const BACKLOG = 1024 * 1024;

/** Resolves once the engine has handed over the stream. */
export async function openAttach(
  engine: Engine,
  { containerId, spec }: { containerId: string; spec: AttachSpec },
  signal: AbortSignal,
): Promise<AttachedProcess> {
  const container = await inspectContainer(engine, containerId, signal);
  if (container.state !== "running" && container.state !== "paused") throw notRunning(container);
  const life = new AbortController();
  const cancel = () => life.abort(signal.reason);
  signal.addEventListener("abort", cancel, { once: true });
  try {
    signal.throwIfAborted();
    const exit = await waitForExit(engine, containerId, life.signal);
    const wire = await openStream(engine, { containerId, spec }, life.signal);
    const { resizePause } = await engine.dialect(life.signal);
    return new AttachedProcess(engine, { wire, exit, life, container, spec, resizePause });
  } catch (error) {
    life.abort();
    throw error;
  } finally {
    signal.removeEventListener("abort", cancel);
  }
}

interface AttachParts {
  wire: Wire;
  exit: ContainerExit;
  life: AbortController;
  container: ContainerDetail;
  spec: AttachSpec;
  resizePause: number;
}

export class AttachedProcess implements Process {
  readonly output: AsyncIterable<Output>;
  readonly exit: Promise<ExitStatus>;
  readonly #engine: Engine;
  readonly #parts: AttachParts;
  readonly #resizer: Resizer;
  readonly #backlog = new Backlog<Output>(BACKLOG);
  /** Known once the output has ended. */
  #exitStatus: ExitStatus | Promise<ExitStatus> = { unknown: "detached" };
  #settle: (status: ExitStatus) => void = () => {};

  constructor(engine: Engine, parts: AttachParts) {
    this.#engine = engine;
    this.#parts = parts;
    this.exit = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.#resizer = new Resizer((size) => this.#sendSize(size), parts.resizePause);
    this.output = this.#deliver();
    void this.#read();
    if (parts.spec.size) void this.resize(parts.spec.size);
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      await this.#parts.wire.write(bytes);
    } catch (cause) {
      throw new RuntimeError("not-running", `The container reads no more: ${describe(cause)}.`, { cause });
    }
  }

  /**
   * Only where the container was made to end its input with the first attach that ends it (StdinOnce, no terminal).
   * Otherwise it does nothing: the engine would cut this attach and throw away the output that follows.
   */
  async end(): Promise<void> {
    const { container, wire } = this.#parts;
    if (container.stdinOnce && !container.tty) await wire.end();
  }

  async resize(size: Size): Promise<void> {
    if (this.#parts.container.tty && !this.#parts.life.signal.aborted) await this.#resizer.resize(size);
  }

  /** To the container's first process. */
  async signal(name: string): Promise<void> {
    const signal = toSignal(name);
    const { container, life } = this.#parts;
    if (life.signal.aborted) return;
    await this.#engine.call(life.signal, (docker, abortSignal) =>
      docker.getContainer(container.id).kill({ signal, abortSignal }),
    );
  }

  async close(): Promise<void> {
    this.#parts.life.abort();
    this.#settle({ unknown: "detached" });
  }

  /** Reads for as long as the engine writes, whether anybody listens or not. */
  async #read(): Promise<void> {
    let failure: unknown;
    try {
      await readInto(this.#backlog, this.#parts);
    } catch (error) {
      failure = error;
    }
    this.#exitStatus = failure === undefined ? this.#parts.exit.status() : { unknown: describe(failure) };
    this.#backlog.end();
  }

  async *#deliver(): AsyncGenerator<Output> {
    try {
      yield* this.#backlog;
    } finally {
      this.#settle(await this.#exitStatus);
      this.#parts.life.abort();
    }
  }

  #sendSize({ cols, rows }: Size): Promise<unknown> {
    return this.#engine.call(this.#parts.life.signal, (docker, abortSignal) =>
      docker.getContainer(this.#parts.container.id).resize({ h: rows, w: cols, abortSignal }),
    );
  }
}

/** Pieces are copied: what the wire gives is valid only until the next read. */
async function readInto(backlog: Backlog<Output>, { wire, container }: AttachParts): Promise<void> {
  const demux = new Demux((stream, bytes) => backlog.add({ stream: stream === "stdout" ? stream : "stderr", bytes }));
  for await (const chunk of wire.body()) {
    const bytes = Buffer.from(chunk);
    if (container.tty) backlog.add({ stream: "stdout", bytes });
    else demux.push(bytes);
  }
  demux.end();
}

function openStream(
  engine: Engine,
  { containerId, spec }: { containerId: string; spec: AttachSpec },
  signal: AbortSignal,
): Promise<Wire> {
  const { stdin, stdout, stderr } = spec;
  const path = `/containers/${containerId}/attach?${query({ stream: true, stdin, stdout, stderr, detachKeys: DETACH_KEYS })}`;
  return engine.stream({ method: "POST", path, upgrade: true }, signal);
}
