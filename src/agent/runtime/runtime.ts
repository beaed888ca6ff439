/** What runs containers on this host, as sessions and reconcile see it: a dozen verbs, streams in, streams out, the signal last. */

import type { Duplex } from "node:stream";

/** Seen from outside a container at one moment. `id` is the full 64-hex id; every later call uses it, never a name. */
export interface Container {
  id: string;
  name: string;
  image: string;
  imageId: string;
  command: string;
  state: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead";
  /** The engine's own words, e.g. "Up 3 hours (healthy)". */
  status: string;
  /** Milliseconds since 1970. */
  created: number;
  labels: Record<string, string>;
  ports: PublishedPort[];
  /** Names of the networks it is on. */
  networks: string[];
  /** The id of the container in whose network it lives instead of one of its own. */
  networkOf?: string;
}

export interface PublishedPort {
  container: number;
  protocol: string;
  host?: number;
  address?: string;
}

/** What only a closer look tells. Environment values are never part of it. */
export interface ContainerDetail extends Container {
  tty: boolean;
  /** The container reads its standard input (`docker run -i`). */
  openStdin: boolean;
  /** Its standard input ends with the first attach that ends it; only then is half-closing an attach safe. */
  stdinOnce: boolean;
  startedAt?: string;
  finishedAt?: string;
  exitCode?: number;
  restartPolicy: string;
  health?: string;
  mounts: { type: string; source: string; destination: string; readOnly: boolean }[];
}

export interface EngineInfo {
  name: "docker" | "podman";
  version: string;
  apiVersion: string;
  os: string;
  arch: string;
}

export interface Size {
  cols: number;
  rows: number;
}

export interface ExecSpec {
  command: string[];
  tty: boolean;
  stdin: boolean;
  user?: string;
  workdir?: string;
  /** `NAME=value` each. */
  env?: string[];
  size?: Size;
  /** Whose it is, for the log. */
  session?: string;
}

export interface AttachSpec {
  stdin: boolean;
  stdout: boolean;
  stderr: boolean;
  size?: Size;
}

/** What to run on the host itself. */
export interface ShellSpec {
  /** Empty: the account's own shell, as at a login. */
  command: string[];
  tty: boolean;
  stdin: boolean;
  /** The kind of terminal that the client has, for TERM. */
  term?: string;
  size?: Size;
}

export interface LogOptions {
  follow: boolean;
  stdout: boolean;
  stderr: boolean;
  /** Lines from the end; absent means all. */
  tail?: number;
  /** `seconds.nanoseconds` since 1970 as a string, inclusive: a JavaScript number loses lines. */
  since?: string;
  until?: string;
}

/** What becomes of a container as a whole. */
export type Order =
  | { kind: "start" }
  /** `timeout`: seconds from the polite signal to KILL; absent: as the container was made. */
  | { kind: "stop" | "restart"; timeout?: number }
  /** `force`: also while it runs; `volumes`: its anonymous volumes too. */
  | { kind: "remove"; force: boolean; volumes: boolean };

/** Something happened to a container. */
export interface ContainerEvent {
  /** `seconds.nanoseconds` since 1970. */
  time: string;
  /** In the engine's word: `start`, `die`, `health_status: healthy`, ... */
  action: string;
  container: { id: string; name: string; image: string };
  labels: Record<string, string>;
  /** What the engine tells of it besides, e.g. `exitCode`, `signal`, `oldName`. */
  details: Record<string, string>;
}

/** What a container uses at one moment. Network and block I/O are bytes since it started. */
export interface Stats {
  /** Percent of one processor: two that are busy make 200. */
  cpu: number;
  /** Bytes. `used` leaves out cached files that the kernel can drop at once; `limit` is the host's where none is set. */
  memory: { used: number; limit: number };
  network: { received: number; sent: number };
  block: { read: number; written: number };
  /** Processes and threads. */
  pids: number;
}

export type StreamName = "stdout" | "stderr";

/** One line, or a part of one longer than 16 KiB; `bytes` end with a newline only when the line does, and stay valid. */
export interface LogEntry {
  stream: StreamName;
  /** RFC 3339 with nanoseconds, as the engine stamped it; parts of one line share it. */
  time: string;
  bytes: Uint8Array;
}

export interface Output {
  stream: StreamName;
  /** Valid until the next one is asked for. */
  bytes: Uint8Array;
  /** Bytes of either stream that were lost just before this piece: a reader of an attach that lags must not stop the container. */
  dropped?: number;
}

/** How a process ended. `unknown` is the truth when the engine could not say, and is never reported as 0. */
export type ExitStatus = { code: number } | { unknown: string };

/** A process inside a container (or on the host) that somebody talks to. */
export interface Process {
  /** Everything it writes, in order, until it ends. Not asking for the next piece stops the writer. Read once. */
  readonly output: AsyncIterable<Output>;
  /** Resolves when the engine took the bytes. Rejects once the process cannot read any more. */
  write(bytes: Uint8Array): Promise<void>;
  /** End of input: half-close, or the end-of-file character on a terminal. */
  end(): Promise<void>;
  /** Newest wins; remembered if the process has not started yet; silently nothing once it ended. */
  resize(size: Size): Promise<void>;
  /** A name such as "INT" or "TERM", to the process (exec: and everything in its session). */
  signal(name: string): Promise<void>;
  /** Settles after all output was delivered. Never rejects. */
  readonly exit: Promise<ExitStatus>;
  /** Leaves nothing behind: ends an exec with everything it started (HUP, TERM, KILL within 5 s); lets go of an attach. Idempotent. */
  close(): Promise<void>;
}

/** What is at a path in a container. */
export interface Place {
  kind: "file" | "directory" | "link" | "other" | "absent";
  /** The last part of the path. */
  name: string;
  /** Bytes, of a file. */
  size: number;
  /** Of a link: where it leads in the end, from the container's root. */
  target?: string;
}

/** What is read out of a container. */
export interface CopySource {
  place: Place;
  /** A tar archive whose first entry is the path's last name. Each piece is valid until the next one is asked for. Read once. */
  archive: AsyncIterable<Uint8Array>;
  /** Idempotent. */
  close(): void;
}

/** What is written into a container: a tar archive, which the engine unpacks as it comes. */
export interface CopySink {
  /** What was there before, behind all links. A directory gets the archive's entries; else the directory it is in gets them. */
  place: Place;
  /**
   * Resolves when more may come. Rejects with why the engine stopped, or did not begin. The bytes must not change until `left`
   * is called, which it is not where the engine stopped.
   */
  write(bytes: Uint8Array, left?: () => void): Promise<void>;
  /** Resolves when the engine says that it has unpacked everything. */
  finish(): Promise<void>;
  /** Cuts it: what was unpacked stays, the file that was under way with a part of its bytes. Idempotent. */
  close(): void;
}

/** A container reference that does not exist, an engine that is away, ...: `code` is one of the stable codes below. */
export class RuntimeError extends Error {
  override readonly name = "RuntimeError";
  readonly code: RuntimeErrorCode;
  constructor(code: RuntimeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A log cannot be read on here, but it can be read again from the last entry that came. */
export class LogInterrupted extends Error {
  override readonly name = "LogInterrupted";
}

export type RuntimeErrorCode =
  | "not-found"
  | "not-running"
  | "conflict"
  | "engine-unavailable"
  | "engine-error"
  | "dial-refused"
  | "dial-failed"
  | "command-not-found"
  | "command-not-executable"
  | "path-not-found"
  | "path-denied"
  | "not-a-directory"
  | "read-only"
  | "disk-full"
  | "unsupported"
  | "invalid";

/** A TCP connection that is read with less ado than a stream. */
export interface Connection {
  /** Is written, ended or destroyed. Of its errors and of what comes, who reads the bytes hears. */
  readonly socket: Duplex;
  /** What comes, each piece valid until the next one is asked for. Ends with the other side; throws when the connection breaks. */
  readonly bytes: AsyncIterable<Uint8Array>;
  /** Breaks it off, and the other side hears of that. */
  reset(): void;
}

export interface Runtime {
  /** Asks the engine who it is; rejects with `engine-unavailable` when it does not answer. */
  info(signal: AbortSignal): Promise<EngineInfo>;
  /** All containers, running or not. Of the runtime's own helpers nothing is told, neither here nor by `watch` and `events`. */
  list(signal: AbortSignal): Promise<Container[]>;
  inspect(id: string, signal: AbortSignal): Promise<ContainerDetail>;
  /** Yields the whole list at once and again after each change; throws when the engine goes away. */
  watch(signal: AbortSignal): AsyncIterable<Container[]>;
  /**
   * Resolves once the engine tells; then those that it remembers since that time (`seconds.nanoseconds`, inclusive), and
   * each as it happens. Those of execs and of attaching are left out. Throws `engine-unavailable` when the engine goes away.
   */
  events(since: string, signal: AbortSignal): Promise<AsyncIterable<ContainerEvent>>;
  /**
   * In the engine's order, each entry once. Ends when the container stops (follow) or at the last line. Throws
   * `engine-unavailable` if the engine broke off, and LogInterrupted where a follow may miss entries.
   */
  logs(id: string, options: LogOptions, signal: AbortSignal): AsyncIterable<LogEntry[]>;
  /** About once a second for as long as the container runs; ends when it does not. */
  stats(id: string, signal: AbortSignal): AsyncIterable<Stats>;
  /** The signal covers the start only; afterwards `Process.close()` ends it. */
  exec(id: string, spec: ExecSpec, signal: AbortSignal): Promise<Process>;
  attach(id: string, spec: AttachSpec, signal: AbortSignal): Promise<Process>;
  /** A TCP connection to a port of the container, also one bound to its loopback. Half-open: ending one side leaves the other. */
  dial(id: string, port: number, signal: AbortSignal): Promise<Duplex>;
  /** The same for many bytes, which are read into buffers that are used again. */
  dialBulk(id: string, port: number, signal: AbortSignal): Promise<Connection>;
  /** Resolves when it is so, and at once when it was so. Throws `conflict` for what the container's state does not allow. */
  control(id: string, order: Order, signal: AbortSignal): Promise<void>;
  /**
   * Of a container that runs or not. `follow`: of a link, what it leads to. Until it is closed the engine may keep other
   * calls about the container waiting. Throws the codes about paths, from `path-not-found` to `disk-full`, as `copyIn` does.
   */
  copyOut(id: string, what: { path: string; follow: boolean }, signal: AbortSignal): Promise<CopySource>;
  copyIn(id: string, path: string, signal: AbortSignal): Promise<CopySink>;
  /** Finishes what a killed agent left: ends journaled execs and removes helpers that nobody owns any more. */
  recover(signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** The machine itself, for those who may work on it. */
export interface Host {
  /** Whose processes these are; the name of an account. */
  readonly user: string;
  /** Resolves once it runs. Rejects with `unsupported` and words where there is no such shell. */
  shell(spec: ShellSpec, signal: AbortSignal): Promise<Process>;
}
