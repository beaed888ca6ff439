/** A runtime in memory whose processes do what a test says: for tests that need exactness, not an engine. */

import { Duplex } from "node:stream";
import {
  type AttachSpec,
  type Connection,
  type Container,
  type ContainerDetail,
  type ContainerEvent,
  type CopySink,
  type CopySource,
  type ExecSpec,
  type ExitStatus,
  type LogEntry,
  type LogOptions,
  type Order,
  type Output,
  type Process,
  type Runtime,
  RuntimeError,
  type Size,
  type Stats,
} from "../../src/agent/runtime/runtime.ts";
import { aborted } from "../../src/lib/wait.ts";
import { reset } from "../../src/net/reset.ts";

/** What a scripted process is given, and what it did. */
export interface Script {
  spec: ExecSpec;
  /** Every byte that was written to it. */
  stdin: Buffer[];
  /** Resolves at end of input. */
  ended: Promise<void>;
  sizes: Size[];
  signals: string[];
  closed: AbortSignal;
  print: (bytes: Uint8Array | string, stream?: "stdout" | "stderr") => Promise<void>;
}

export interface ScriptedOptions {
  containers?: Partial<Container>[];
  /** What the engine answers when it is asked for its containers, where that is not what its events have told. */
  list?: (signal: AbortSignal) => Promise<Container[]>;
  /** Runs as the process; what it returns is the exit status. */
  exec?: (script: Script) => Promise<ExitStatus>;
  logs?: (options: LogOptions, signal: AbortSignal) => AsyncIterable<LogEntry[]>;
  dial?: (port: number) => Duplex;
  events?: (since: string, signal: AbortSignal) => Promise<AsyncIterable<ContainerEvent>>;
  stats?: (id: string, signal: AbortSignal) => AsyncIterable<Stats>;
  control?: (id: string, order: Order, signal: AbortSignal) => Promise<void>;
  copyOut?: (path: string) => CopySource;
  copyIn?: (path: string) => CopySink;
}

export function container(fields: Partial<Container>): Container {
  return {
    id: "a".repeat(64),
    name: "web",
    image: "busybox",
    imageId: "sha256:1",
    command: "sh",
    state: "running",
    status: "Up",
    created: 0,
    labels: {},
    ports: [],
    networks: [],
    ...fields,
  };
}

export class ScriptedRuntime implements Runtime {
  readonly scripts: Script[] = [];
  readonly #options: ScriptedOptions;
  readonly #all: Container[];

  constructor(options: ScriptedOptions = {}) {
    this.#options = options;
    this.#all = (options.containers ?? [{}]).map(container);
  }

  async info() {
    return { name: "docker" as const, version: "0", apiVersion: "1.41", os: "linux", arch: "x64" };
  }

  async list(signal: AbortSignal): Promise<Container[]> {
    return this.#options.list?.(signal) ?? this.#all;
  }

  async inspect(id: string): Promise<ContainerDetail> {
    const found = this.#all.find((it) => it.id === id);
    if (!found) throw new RuntimeError("not-found", `no container ${id}`);
    return { ...found, tty: false, openStdin: true, stdinOnce: false, restartPolicy: "no", mounts: [] };
  }

  async *watch(signal: AbortSignal): AsyncGenerator<Container[]> {
    yield this.#all;
    await aborted(signal);
    throw signal.reason;
  }

  logs(_id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogEntry[]> {
    if (!this.#options.logs) throw new RuntimeError("unsupported", "this script has no logs");
    return this.#options.logs(options, signal);
  }

  async events(since: string, signal: AbortSignal): Promise<AsyncIterable<ContainerEvent>> {
    return this.#options.events?.(since, signal) ?? silence(signal);
  }

  async *stats(id: string, signal: AbortSignal): AsyncGenerator<Stats> {
    if (this.#options.stats) yield* this.#options.stats(id, signal);
  }

  async exec(_id: string, spec: ExecSpec, signal: AbortSignal): Promise<Process> {
    signal.throwIfAborted();
    const run = this.#options.exec;
    if (!run) throw new RuntimeError("command-not-found", `exec: "${spec.command[0]}": not found`);
    return this.#start(spec, run);
  }

  async attach(id: string, { stdin }: AttachSpec, signal: AbortSignal): Promise<Process> {
    return this.exec(id, { command: [], tty: false, stdin }, signal);
  }

  async dial(_id: string, port: number, signal: AbortSignal): Promise<Duplex> {
    signal.throwIfAborted();
    if (!this.#options.dial) throw new RuntimeError("dial-refused", `nothing listens on port ${port}`);
    return this.#options.dial(port);
  }

  async dialBulk(id: string, port: number, signal: AbortSignal): Promise<Connection> {
    const socket = await this.dial(id, port, signal);
    // Who reads hears of it; nobody may be reading.
    socket.on("error", () => {});
    return { socket, bytes: socket.iterator({ destroyOnReturn: false }), reset: () => reset(socket) };
  }

  async control(id: string, order: Order, signal: AbortSignal): Promise<void> {
    await this.#options.control?.(id, order, signal);
  }

  async copyOut(_id: string, { path }: { path: string }): Promise<CopySource> {
    if (!this.#options.copyOut) throw new RuntimeError("path-not-found", `there is no ${path}`);
    return this.#options.copyOut(path);
  }

  async copyIn(_id: string, path: string): Promise<CopySink> {
    if (!this.#options.copyIn) throw new RuntimeError("read-only", `nothing can be written at ${path}`);
    return this.#options.copyIn(path);
  }

  async recover(): Promise<void> {}

  async close(): Promise<void> {}

  #start(spec: ExecSpec, run: (script: Script) => Promise<ExitStatus>): Process {
    const output = new Handover<Output>();
    const stop = new AbortController();
    let endInput: () => void = () => {};
    const script: Script = {
      spec,
      stdin: [],
      ended: new Promise((resolve) => {
        endInput = resolve;
      }),
      sizes: [],
      signals: [],
      closed: stop.signal,
      print: (bytes, stream = "stdout") => output.put({ stream, bytes: Buffer.from(bytes) }),
    };
    this.scripts.push(script);
    const exit = run(script).finally(() => output.end());
    return {
      output,
      exit,
      write: async (bytes) => void script.stdin.push(Buffer.from(bytes)),
      end: async () => endInput(),
      resize: async (size) => void script.sizes.push(size),
      signal: async (name) => void script.signals.push(name),
      close: async () => {
        stop.abort();
        endInput();
        output.end();
      },
    };
  }
}

/** Nothing happens until the signal. */
function silence(signal: AbortSignal): AsyncIterable<never> {
  const next = () => aborted(signal).then(() => ({ done: true, value: undefined }) as const);
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** Hands values to one reader; the writer waits until each is taken. */
class Handover<T> implements AsyncIterable<T> {
  readonly #waiting: { value: T; taken: () => void }[] = [];
  #ended = false;
  #wake: () => void = () => {};

  put(value: T): Promise<void> {
    return new Promise((resolve) => {
      if (this.#ended) return resolve();
      this.#waiting.push({ value, taken: resolve });
      this.#wake();
    });
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next) {
        yield next.value;
        next.taken();
      } else if (this.#ended) return;
      else
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
    }
  }
}
